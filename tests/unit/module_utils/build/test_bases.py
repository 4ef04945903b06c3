# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which base images are missing, which their registries have anew: an engine's API as the tests answer it."""

from __future__ import annotations

import json
import typing as t
import urllib.parse
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.build.bases import (
    Bases,
    MissingBase,
    registry_digests,
)
from ansible_collections.longshore.delivery.plugins.module_utils.build.buildah import LibraryEngine
from ansible_collections.longshore.delivery.plugins.module_utils.build.docker_builds import DockerBuildEngine
from ansible_collections.longshore.delivery.plugins.module_utils.build.named_builder import RegistryBases
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import DockerAddress
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.image import Image
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.stages import BaseImage
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference
from ansible_collections.longshore.delivery.plugins.module_utils.running import run_command
from tests.http_server import Handler, HttpServer

OLD, NEW = "sha256:" + "1" * 64, "sha256:" + "2" * 64
HELD = {  # what the engine holds, and under which digests registries have it
    "r.example/same:1": [f"r.example/same@{NEW}"],
    "r.example/older:1": [f"r.example/older@{OLD}", f"other.example/older@{NEW}"],
    "r.example/own:1": [],
    "r.example/refused:1": [f"r.example/refused@{OLD}"],
    f"r.example/older@{OLD}": [f"r.example/older@{OLD}"],
    "r.example/held-away:1": [f"r.example/held-away@{OLD}"],
}


class Engine(Handler):
    asked: t.ClassVar[list[str]] = []
    inspected: t.ClassVar[list[str]] = []

    def do_GET(self) -> None:
        path = urllib.parse.unquote(self.path.partition("?")[0])
        if path.endswith("/version"):
            return self.answer(200, {"ApiVersion": "1.41", "MinAPIVersion": "1.12", "Os": "linux", "Arch": "amd64"})
        kind, _slash, name = path.removeprefix("/v1.41").lstrip("/").partition("/")
        name = name.removesuffix("/json")
        if kind == "images":
            self.inspected.append(name)
            if name not in HELD:
                return self.answer(404, {"message": f"No such image: {name}"})
            return self.answer(200, {"Id": "sha256:id", "RepoTags": [name], "RepoDigests": HELD[name]})
        assert kind == "distribution"
        self.asked.append(name)
        if name.startswith("r.example/refused"):
            return self.answer(401, {"message": "no basic auth credentials"})
        if "away" in name:
            return self.answer(
                500, {"message": "Get https://r.example/v2/: dial tcp 192.0.2.1:443: connect: connection refused"}
            )
        if name.startswith("r.example/gone"):
            return self.answer(404, {"message": "manifest unknown"})
        return self.answer(200, {"Descriptor": {"digest": NEW}})

    def answer(self, status: int, document: t.Any) -> None:
        self.reply(status, {"Content-Type": "application/json"}, json.dumps(document).encode())


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[DockerBuildEngine]:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    Engine.asked.clear()
    Engine.inspected.clear()
    with HttpServer(Engine) as server:
        engine = DockerBuildEngine(DockerAddress(f"tcp://127.0.0.1:{server.port}"), run_command)
        yield engine
        engine.close()


def bases(engine: DockerBuildEngine, *names: str) -> Bases:
    return Bases(engine, [BaseImage(Reference.parse(name), 3) for name in names], "/s/Dockerfile")


def named(found: t.Sequence[BaseImage]) -> list[str]:
    return [str(base.reference) for base in found]


def test_a_registry_that_serves_another_digest_has_another_image(engine: DockerBuildEngine) -> None:
    images = bases(engine, "r.example/same:1", "r.example/older:1", "r.example/gone:1", "r.example/own:1")
    held = images.held()
    assert set(held) == {"r.example/same:1", "r.example/older:1", "r.example/own:1"}
    assert named(images.absent(held)) == ["r.example/gone:1"]
    assert named(images.outdated(True)) == ["r.example/older:1"]
    assert Engine.asked == ["r.example/same:1", "r.example/older:1"]
    assert len(Engine.inspected) == 4  # each once, which is what a run without changes has to wait for


def test_one_named_by_its_digest_is_that_image_for_ever(engine: DockerBuildEngine) -> None:
    images = bases(engine, f"r.example/older@{OLD}")
    images.held()
    assert images.outdated(True) == ()
    assert Engine.asked == []


def test_one_that_is_built_or_named_before_is_the_one_it_will_be(engine: DockerBuildEngine) -> None:
    """What the engine holds under that name now does not count, nor what a registry has."""
    older, gone = "r.example/older:1", "r.example/gone:1"
    listed = [BaseImage(Reference.parse(name), 3) for name in (older, gone)]
    images = Bases(engine, listed, "/s/Dockerfile", coming={older: NEW, gone: None, "r.example/own:1": None})
    held = images.held()
    assert (held[older], set(held), images.absent(held), images.outdated(True)) == (NEW, {older, gone}, (), ())
    assert images.are_coming
    assert not Bases(engine, listed, "/s/Dockerfile", coming={older: NEW, "r.example/own:1": None}).are_coming
    assert Engine.inspected == Engine.asked == []


def test_what_was_brought_to_a_registry_before_is_what_the_engine_has_to_hold(engine: DockerBuildEngine) -> None:
    """By its ID, or the digest under which it came. In check mode there may be none to know it by, and no registry to ask."""
    older, gone = "r.example/older:1", "r.example/gone:1"
    listed = [BaseImage(Reference.parse(name), 3) for name in (older, gone)]
    cases: list[tuple[tuple[str, ...], list[str], str]] = [
        ((NEW, "sha256:id"), [], NEW),
        ((NEW, OLD), [], OLD),
        ((NEW,), [older], NEW),
        ((), [older], "to be built"),
    ]
    for digests, outdated, counting in cases:
        images = Bases(engine, listed, "/s/Dockerfile", served={older: digests, gone: digests})
        absent = images.absent(images.held())
        assert (named(images.outdated(False)), named(absent)) == (outdated, [gone])
        assert images.counts_as(gone, OLD) == counting
        assert [images.served(base) for base in absent] == [""]
    assert Bases(engine, listed, "/s/Dockerfile").counts_as(gone, OLD) == OLD
    assert Engine.asked == []


def test_a_registry_that_does_not_say_is_an_error(engine: DockerBuildEngine) -> None:
    images = bases(engine, "r.example/refused:1")
    images.held()
    with pytest.raises(
        DeliveryError, match=r"refused:1 \(/s/Dockerfile, line 3\) cannot be known: .*no basic auth credentials"
    ):
        images.outdated(True)


def test_one_that_may_not_be_pulled_is_named(engine: DockerBuildEngine) -> None:
    images = bases(engine, "r.example/gone:1", "r.example/same:1")
    images.refuse(())
    with pytest.raises(
        MissingBase, match=r"does not hold the base image r\.example/gone:1 \(/s/Dockerfile, line 3\), and 'pull_base'"
    ):
        images.refuse(images.absent(images.held()))


def test_what_would_have_to_be_pulled_is_asked_for(engine: DockerBuildEngine) -> None:
    images = bases(engine, "r.example/new:1", "r.example/gone:1")
    new, gone = images.absent(images.held())
    assert images.served(new) == NEW
    with pytest.raises(
        DeliveryError, match=r"gone:1 \(/s/Dockerfile, line 3\) could not be pulled: .*manifest unknown"
    ):
        images.served(gone)
    assert Engine.asked == ["r.example/new:1", "r.example/gone:1"]


def test_a_registry_that_is_not_there_is_told_once_where_it_may_come(engine: DockerBuildEngine) -> None:
    listed = [BaseImage(Reference.parse(f"r.example/{name}:1"), 3) for name in ("away", "held-away")]
    warned: list[str] = []
    images = Bases(engine, listed, "/s/Dockerfile", may_come=warned.append)
    absent = images.absent(images.held())
    assert [images.served(base) for base in (*absent, *absent)] == [""] * 2 * len(absent)
    assert images.outdated(True) == ()
    told = [word for line in warned for word in line.split() if word.startswith("r.example")]
    assert told[:1] == ["r.example/away:1"]
    assert len(warned) == 2
    assert "connect: connection refused" in warned[0]
    strict = Bases(engine, listed, "/s/Dockerfile")
    absent = strict.absent(strict.held())
    with pytest.raises(DeliveryError, match=r"away:1 .* could not be pulled: .*connection refused"):
        strict.served(absent[0])
    with pytest.raises(DeliveryError, match=r"held-away:1 .* cannot be known: .*connection refused"):
        strict.outdated(True)


def test_a_builder_that_asks_registries_holds_nothing_of_one_that_is_not_there() -> None:
    said = "ERROR: failed to do request: Head http://r.example/v2/a: dial tcp 192.0.2.1:80: connect: connection refused"
    address = DockerAddress("unix:///no/engine")
    store = RegistryBases("farm", address, lambda argv, **options: Completed(1, "", said))
    listed, warned = [BaseImage(Reference.parse("r.example/a:1"), 3)], list[str]()
    images = Bases(store, listed, "/s/Dockerfile", may_come=warned.append)
    assert images.held() == {}
    assert [images.served(base) for base in images.absent({})] == [""]
    assert len(warned) == 1
    with pytest.raises(DeliveryError, match="did not tell what it serves"):
        Bases(store, listed, "/s/Dockerfile").held()


def test_digests_of_other_registries_say_nothing() -> None:
    image = Image("sha256:id", {}, (), (f"debian@{OLD}", f"r.example/library/debian@{NEW}", "what is this"))
    assert registry_digests(image, Reference.parse("debian:12")) == {OLD}
    assert registry_digests(image, Reference.parse("r.example/library/debian:12")) == {NEW}
    assert registry_digests(image, Reference.parse("r.example/debian:12")) == set()


def test_an_engine_that_cannot_ask_a_registry_tells_so_in_check_mode_and_pulls_all_the_same() -> None:
    podman = LibraryEngine("podman", "podman", lambda argv, **how: Completed(127, "", ""))
    base = BaseImage(Reference.parse("r.example/new:1"), 1)
    warned: list[str] = []
    assert Bases(podman, [base], "/s/Dockerfile", may_come=warned.append).served(base) == ""
    assert len(warned) == 1
    assert "Whether r.example/new:1 can be pulled is not known in check mode: Podman on" in warned[0]
    assert "without the program skopeo" in warned[0]
    with pytest.raises(DeliveryError, match=r"could not be pulled: .* without the program skopeo"):
        Bases(podman, [base], "/s/Dockerfile").served(base)
