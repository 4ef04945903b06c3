# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a build stands on, by an engine's API: the images that a FROM names, and those that their ONBUILD instructions name."""

from __future__ import annotations

import dataclasses
import json
import typing as t
import urllib.parse
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.longshore.delivery.plugins.module_utils.build.definition import (
    MissingFile,
    UndeclaredArgument,
    read_definition,
)
from ansible_collections.longshore.delivery.plugins.module_utils.build.docker_builds import DockerBuildEngine
from ansible_collections.longshore.delivery.plugins.module_utils.build.foundation import Foundation
from ansible_collections.longshore.delivery.plugins.module_utils.build.inputs import Inputs
from ansible_collections.longshore.delivery.plugins.module_utils.build.wanted import ARGUMENT_SPEC, Wanted
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import DockerAddress
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.image import Image
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.stages import triggers_of
from ansible_collections.longshore.delivery.plugins.module_utils.running import run_command
from tests.http_server import Handler, HttpServer
from tests.unit.module_utils.registry.conftest import StartRegistry

from .test_served_triggers import push

BASE, OTHER, LAST = "r.example/base:1", "r.example/other:1", "r.example/last:1"
# what a registry would serve: ONBUILD instructions by image
SERVED = {
    BASE: [f"COPY --from={OTHER} /x /x", "ARG WHO", "ADD https://x.example/y /"],
    OTHER: [f"COPY --from={LAST} /x /x"],
}


class EngineApi(Handler):
    held: t.ClassVar[dict[str, list[str]]] = {}
    pulled: t.ClassVar[list[str]] = []
    digests: t.ClassVar[dict[str, str]] = {}  # that registries serve the engine
    came: t.ClassVar[dict[str, list[str]]] = {}  # under which digests what it holds came from them

    def do_GET(self) -> None:
        path = urllib.parse.unquote(self.path.partition("?")[0])
        if path.endswith("/version"):
            return self.answer(200, {"ApiVersion": "1.41", "MinAPIVersion": "1.12", "Os": "linux", "Arch": "amd64"})
        name = path.removeprefix("/v1.41").removeprefix("/images/").removesuffix("/json")
        if name.startswith("/distribution/"):
            name = name.removeprefix("/distribution/")
            digest = self.digests.get(name)
            return self.answer(200 if digest else 404, {"Descriptor": {"digest": digest}, "message": f"no {name}"})
        if name not in self.held:
            return self.answer(404, {"message": f"No such image: {name}"})
        shown = {"Id": f"sha256:{name}", "Config": {"OnBuild": self.held[name]}, "RootFS": {}}
        return self.answer(200, {**shown, "RepoDigests": self.came.get(name)})

    def do_POST(self) -> None:
        asked = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        name = f"{asked['fromImage'][0]}:{asked['tag'][0]}"
        self.pulled.append(name)
        self.held[name] = SERVED[name]
        self.answer(200, {"status": "pulled"})

    def answer(self, status: int, document: t.Any) -> None:
        self.reply(status, {"Content-Type": "application/json"}, json.dumps(document).encode())


@dataclasses.dataclass
class Stood:
    foundation: Foundation
    warned: list[str]
    source: Path


@pytest.fixture
def stood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[t.Callable[..., Stood]]:
    """What a Dockerfile stands on in an engine that holds nothing, unless EngineApi.held says so."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(EngineApi, "held", {})
    monkeypatch.setattr(EngineApi, "digests", {})
    monkeypatch.setattr(EngineApi, "came", {})
    EngineApi.pulled.clear()

    def stand(dockerfile: str, **options: t.Any) -> Stood:
        (tmp_path / "source").mkdir(exist_ok=True)
        (tmp_path / "source" / "Dockerfile").write_text(dockerfile)
        given = {"name": "r.example/x:1", "source": str(tmp_path / "source"), **options}
        checked = ArgumentSpecValidator(ARGUMENT_SPEC).validate(given)
        assert checked.error_messages == []
        wanted, warned = Wanted.from_params(checked.validated_parameters), list[str]()
        context = Context(False, False, warned.append, lambda line: None, run_command)
        foundation = Foundation(wanted, read_definition(wanted.source, "Dockerfile"), engine, context)
        return Stood(foundation, warned, tmp_path / "source")

    with HttpServer(EngineApi) as server:
        engine = DockerBuildEngine(DockerAddress(f"tcp://127.0.0.1:{server.port}"), run_command)
        yield stand
        engine.close()


def test_what_is_held_is_looked_into_and_no_further_than_a_build_goes(stood: t.Callable[..., Stood]) -> None:
    EngineApi.held = {name: SERVED[name] for name in (BASE, OTHER)}
    built = stood(f"FROM {BASE}\n", args={"WHO": "me"})
    assert built.foundation.look() == {BASE: f"sha256:{BASE}", OTHER: f"sha256:{OTHER}"}
    assert built.foundation.bases.names == {
        BASE,
        OTHER,
    }  # what OTHER would have carried out is not: nothing starts from it
    assert built.foundation.is_known
    built.foundation.look()
    [warned] = built.warned
    assert "line 1: ONBUILD ADD https://x.example/y / fetches what nobody can know" in warned
    built = stood(f"FROM {BASE}\n")
    assert len(built.foundation.look()) == 2
    EngineApi.held = {BASE: []}
    assert built.foundation.look() == {BASE: f"sha256:{BASE}"}
    assert built.foundation.bases.names == {BASE}


def test_an_argument_may_be_one_of_a_base_image_s(stood: t.Callable[..., Stood]) -> None:
    stood(f"FROM {BASE}\n", args={"WHOM": "me"}).foundation.look()  # who knows
    EngineApi.held = {BASE: SERVED[BASE]}
    with pytest.raises(UndeclaredArgument, match=r"args\.WHOM has no effect"):
        stood(f"FROM {BASE}\n", args={"WHOM": "me"}).foundation.look()


def test_what_is_pulled_may_name_more(stood: t.Callable[..., Stood]) -> None:
    built, shown = stood(f"FROM {BASE}\n"), list[str]()
    assert built.foundation.look() == {}
    assert not built.foundation.is_known
    pulled = built.foundation.pull(built.foundation.bases.absent({}), shown.append)
    assert [str(base.reference) for base in pulled] == EngineApi.pulled == [BASE, OTHER]
    assert shown == [f"pulling the base image {name}" for name in (BASE, OTHER)]
    assert [(str(base.reference), base.line) for base in built.foundation.bases.absent({})] == [(BASE, 1), (OTHER, 1)]


def test_what_an_image_was_built_from_stands_for_what_is_not_held(stood: t.Callable[..., Stood]) -> None:
    built = stood(f"FROM {BASE}\nCOPY --from={LAST} /x /x\n")
    EngineApi.held = {LAST: []}
    held = built.foundation.look()
    absent = built.foundation.bases.absent(held)
    recorded = {BASE: "sha256:1", OTHER: "sha256:2", LAST: "sha256:3"}
    image = Image("sha256:x", Inputs({"bases": recorded}).labels())
    assert built.foundation.assumed(image, absent) == {BASE: "sha256:1", OTHER: "sha256:2"}
    EngineApi.held = {LAST: [], OTHER: []}
    assert built.foundation.assumed(image, absent) == {BASE: "sha256:1", OTHER: f"sha256:{OTHER}"}
    EngineApi.held = {BASE: []}
    assert built.foundation.assumed(image, built.foundation.bases.absent(built.foundation.look())) == {LAST: "sha256:3"}


def test_what_would_be_pulled_may_name_more(stood: t.Callable[..., Stood], start_registry: StartRegistry) -> None:
    registry = {"endpoint": start_registry().endpoint, "tls": "plain"}
    name, none = f"{registry['endpoint']}/r/base:1", f"{registry['endpoint']}/r/none:1"
    reference = push(registry, amd64=["ARG WHO", f"COPY --from={OTHER} /x /x", "COPY package /"])
    EngineApi.digests = {name: str(reference.digest), OTHER: "sha256:" + "1" * 64}
    built = stood(f"FROM {name}\n", args={"WHO": "me"})
    assert built.foundation.look() == {}
    with pytest.raises(MissingFile, match="Dockerfile, line 1: ONBUILD COPY package /: there is no package in"):
        built.foundation.foresee(built.foundation.bases.absent({}))
    (built.source / "package").touch()
    built = stood(f"FROM {name}\n", args={"WHO": "me"})
    built.foundation.look()
    foreseen = built.foundation.foresee(built.foundation.bases.absent({}))
    assert [(str(base.reference), base.line) for base in foreseen] == [(name, 1), (OTHER, 1)]
    assert EngineApi.pulled == []
    built = stood(f"FROM {name}\n", args={"WHOM": "me"})
    built.foundation.look()
    with pytest.raises(UndeclaredArgument, match=r"args\.WHOM has no effect"):
        built.foundation.foresee(built.foundation.bases.absent({}))
    built = stood(f"FROM {none}\n")
    with pytest.raises(DeliveryError, match=f"{none} .*line 1.* could not be pulled: .*no {none}"):
        built.foundation.foresee(built.foundation.bases.absent({}))


def test_what_an_older_base_image_names_does_not_count(
    stood: t.Callable[..., Stood], start_registry: StartRegistry
) -> None:
    """Where a newer one is to be pulled, that tells what it has carried out."""
    registry = {"endpoint": start_registry().endpoint, "tls": "plain"}
    name = f"{registry['endpoint']}/r/base:1"
    EngineApi.digests = {name: str(push(registry, amd64=["RUN true"]).digest)}
    EngineApi.held = {name: ["COPY package /"]}
    EngineApi.came = {name: [f"{registry['endpoint']}/r/base@sha256:" + "2" * 64]}
    with pytest.raises(MissingFile, match="there is no package"):
        stood(f"FROM {name}\n").foundation.look_for_newer(False)
    built = stood(f"FROM {name}\n")
    held, outdated = built.foundation.look_for_newer(True)
    assert (list(held), [str(base.reference) for base in outdated]) == ([name], [name])
    assert not built.foundation.is_known
    built.foundation.foresee(outdated)
    assert built.foundation.is_known
    assert [str(found) for found in triggers_of(built.foundation.stages)] == ["ONBUILD RUN true"]
