# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images looked at, named and removed in every engine that builds, which is asked past the collection what it then has.

All are of one label of their own: an engine may have others, which are not these tests' to touch.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import io
import os
import typing as t
import uuid

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Capability, Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.image import image_info, image_prune, image_tag
from ansible_collections.longshore.delivery.plugins.module_utils.running import run_command
from tests import returned
from tests.integration.asking import on_node
from tests.integration.docker_clients import client_of
from tests.unit.module_utils.audit.made import layer_bytes

from .holders import LABEL, Holder, PodmanHolder, Saved
from .lab import BUILDS, PREFIX, Builder

pytestmark = [pytest.mark.lab, pytest.mark.wide]

NOW = datetime.datetime.now(datetime.timezone.utc)
OWN_BYTES = 10_000  # of each image, beside the base that they share


def asked(module: str, capability: Capability, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
    """What a module returns on the controller."""
    defaults = {name: option.get("default") for name, option in capability.argument_spec.items()}
    context = Context(check, True, pytest.fail, lambda line: None, run_command)
    return returned.run(module, {**defaults, **options}, context)


@dataclasses.dataclass(frozen=True)
class Held:
    """Four images of a repository, tagged 1 to 4, the first of which is the oldest, in an engine.

    :param options: those that a module needs to look at them alone.
    :param ids: what the engine calls them.
    :param created: when each was, as image_info shows it.
    :param layers: the digests of the layers of each.
    :param bytes: of the archives of the layer that they share, and of each one's own.
    """

    holder: Holder
    repository: str
    options: dict[str, t.Any]
    ids: list[str]
    created: list[str]
    layers: list[list[str]]
    bytes: tuple[int, int]

    def name(self, tag: object) -> str:
        return f"{self.repository}:{tag}"

    def names(self) -> dict[str, str]:
        """The number of the image that has each tag."""
        prefix = f"{self.repository}:"
        numbers = {image_id: str(number) for number, image_id in enumerate(self.ids, 1)}
        held = self.holder.names().items()
        return {name[len(prefix) :]: numbers[image_id] for name, image_id in held if name.startswith(prefix)}

    def info(self, **options: t.Any) -> list[dict[str, t.Any]]:
        asking = {**self.options, **options}
        found: list[dict[str, t.Any]] = asked("image_info", image_info.CAPABILITY, **asking)["images"]
        return found

    def prune(self, *, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        return asked("image_prune", image_prune.CAPABILITY, check=check, **{**self.options, **options})

    def numbers(self, entries: list[dict[str, t.Any]]) -> list[int]:
        return sorted(self.ids.index(entry["id"]) + 1 for entry in entries)


@pytest.fixture
def builder() -> t.Iterator[Builder]:
    made = Builder("")
    yield made
    made.remove()


@pytest.fixture
def held(holder: Holder) -> t.Iterator[Held]:
    images, base = Saved(), layer_bytes({"base": os.urandom(5 * OWN_BYTES)})
    repository = f"registry.example/{PREFIX}/{uuid.uuid4().hex[:12]}"
    created, layers = [NOW - datetime.timedelta(days=10 * (5 - number)) for number in (1, 2, 3, 4)], []
    for number, moment in enumerate(created, 1):
        document = {
            "os": "linux",
            "architecture": "amd64",
            "created": moment.isoformat().replace("+00:00", "Z"),
            "config": {"User": "10001", "Entrypoint": ["/own"]},
            "history": [{"created_by": "COPY base /"}, {"created_by": "COPY own /"}],
        }
        own = layer_bytes({"own": os.urandom(OWN_BYTES)})
        images.add(document, [base, own], f"{repository}:{number}")
        layers.append([images.diff_id(base), images.diff_id(own)])
    holder.load(images.archive())
    names = holder.names()
    ids = [names[f"{repository}:{number}"] for number in (1, 2, 3, 4)]
    try:
        yield Held(
            holder,
            repository,
            {"labels": [f"{LABEL}={images.salt}"], **holder.options},
            ids,
            [moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in created],
            layers,
            (len(base), len(own)),
        )
    finally:
        for image_id in ids:
            holder.remove(image_id)


def test_docker_20_10_is_one_of_them() -> None:
    """Debian bookworm's, which is this machine's where the lab was made on one."""
    with contextlib.closing(client_of("unix:///var/run/docker.sock")) as client:
        version = client.version()["Version"]
    if not version.startswith("20.10."):
        pytest.skip(f"this machine's Docker is {version}: image modules are not run on 20.10 here")


def test_what_is_there_a_name_that_moves_and_what_it_leaves(held: Held) -> None:
    found = held.info()
    assert [(one["references"], one["id"]) for one in found] == [
        ([held.name(number)], image_id) for number, image_id in enumerate(held.ids, 1)
    ]
    for shown, layers in zip(found, held.layers, strict=True):
        assert (shown["platform"], shown["config"]) == ("linux/amd64", {"User": "10001", "Entrypoint": ["/own"]})
        assert [layer["diff_id"] for layer in shown["layers"]] == layers
        assert ["=".join(label) for label in shown["labels"].items()] == held.options["labels"]
        assert [layer["created_by"] for layer in shown["layers"]] == ["COPY base /", "COPY own /"]
        assert shown["size"] > 0
        config = shown["digests"]["config"]
        assert (config is not None) is held.holder.tells_digests
        assert config is None or config.endswith(shown["id"].removeprefix("sha256:"))
    assert [one["created"] for one in found] == held.created
    assert held.numbers(held.info(globs=[f"**/{held.repository.rpartition('/')[2]}"], older_than="25d")) == [1, 2]
    assert held.numbers(held.info(newer_than="25d", older_than="15d")) == [3]
    assert held.numbers(held.info(query=f"contains(references, '{held.name(3)}') && config.User == '10001'")) == [3]

    tag = {"image": held.name(4), "references": [held.name(1), held.name("stable")], **held.holder.options}
    foretold = asked("image_tag", image_tag.CAPABILITY, check=True, **tag)
    assert held.names() == {"1": "1", "2": "2", "3": "3", "4": "4"}
    assert asked("image_tag", image_tag.CAPABILITY, **tag) == foretold
    assert [(one["before"], one["moved"]) for one in foretold["tags"]] == [(held.ids[0], True), (None, False)]
    assert held.names() == {"1": "4", "2": "2", "3": "3", "4": "4", "stable": "4"}
    assert asked("image_tag", image_tag.CAPABILITY, **tag)["changed"] is False
    with pytest.raises(DeliveryError, match="By 'immutable'"):
        asked("image_tag", image_tag.CAPABILITY, **{**tag, "image": held.ids[1], "immutable": ["**:stable"]})
    assert held.names()["stable"] == "4"

    assert held.numbers(held.info(dangling=True)) == [1]
    [gone] = held.prune(dangling=True)["removed"]
    assert (gone["id"], gone["references"], gone["whole"]) == (held.ids[0], [], True)
    assert held.numbers(held.info()) == [2, 3, 4]


def test_what_goes_and_what_stays(held: Held) -> None:
    with held.holder.used(held.name(1)) as container:
        foretold = held.prune(keep=2, check=True)
        assert held.names() == {"1": "1", "2": "2", "3": "3", "4": "4"}
        assert held.prune(keep=2) == foretold
        assert held.numbers(foretold["removed"]) == [2]
        assert [(one["id"], one["why"]) for one in foretold["kept"]] == [(held.ids[0], f"in use by {container}")]
        assert held.names() == {"1": "1", "3": "3", "4": "4"}
        again = held.prune(keep=2)
        assert (again["changed"], again["removed"], again["kept"]) == (False, [], foretold["kept"])

    short = held.ids[2].removeprefix("sha256:")[:12]
    asked("image_tag", image_tag.CAPABILITY, image=short, references=[held.name("three")], **held.holder.options)
    [name] = held.prune(references=[held.name(3)])["removed"]
    assert (name["id"], name["references"], name["whole"]) == (held.ids[2], [held.name(3)], False)
    assert held.names() == {"1": "1", "three": "3", "4": "4"}
    both = held.prune(references=[short, held.name(1)])
    assert {one["id"]: one["references"] for one in both["removed"]} == {
        held.ids[2]: [held.name("three")],
        held.ids[0]: [held.name(1)],
    }
    last = held.prune(globs=[held.repository], older_than="5d")
    assert (held.numbers(last["removed"]), held.names()) == ([4], {})

    # what several share stays as long as one of them does
    gained = [found["bytes_gained"] for found in (foretold, both, last)]
    if held.holder.tells_digests:
        # Docker counts the bytes of files, Podman those of a layer's archive
        base, own = held.bytes if isinstance(held.holder, PodmanHolder) else (5 * OWN_BYTES, OWN_BYTES)
        assert gained == [own, 2 * own, own + base]
    else:  # with containerd's store an engine does not tell what becomes free
        assert (gained, last["removed"][0]["size"]) == ([None, None, None], None)


def test_an_image_that_another_was_built_on_stays(builder: Builder) -> None:
    """With the classic builder's steps, which go with the last image that stands on them."""
    base = builder.make("base", size=70_000)
    context = layer_bytes(
        {
            "Dockerfile": f"FROM {builder.repository}:base\nADD more /\nENV A=1\nLABEL {LABEL}=1\n".encode(),
            "more": os.urandom(16_000),
        }
    )
    built, _log = builder.engine.images.build(
        fileobj=io.BytesIO(context), custom_context=True, rm=True, tag=f"{builder.repository}:built"
    )
    both: dict[str, t.Any] = {"globs": [f"{builder.repository}:built", f"{builder.repository}:base"], **BUILDS}
    one = {**both, "globs": [f"{builder.repository}:base"]}
    [kept] = asked("image_prune", image_prune.CAPABILITY, **one)["kept"]
    assert (kept["id"], kept["why"]) == (base, f"{built.id} was built on it")
    foretold = asked("image_prune", image_prune.CAPABILITY, check=True, **both)
    assert [one["id"] for one in foretold["removed"]][::3] == [built.id, base]  # with two steps between them
    assert foretold["bytes_gained"] == 86_000
    assert asked("image_prune", image_prune.CAPABILITY, **both) == foretold
    assert builder.names() == []


def test_what_podman_left_between_a_builds_steps_goes_with_the_image(docks_podman: PodmanHolder) -> None:
    """Podman takes it away by itself, so that it has to be foretold."""
    images, repository = Saved(), f"registry.example/{PREFIX}/{uuid.uuid4().hex[:12]}"
    layer = layer_bytes({"base": os.urandom(OWN_BYTES)})
    document = {"os": "linux", "architecture": "amd64", "history": [{"created_by": "COPY base /"}]}
    base_id = images.add(document, [layer], f"{repository}:base")
    docks_podman.load(images.archive())
    listing = ["images", "--all", "--quiet", "--no-trunc", "--filter", f"label={LABEL}={images.salt}"]

    def left() -> set[str]:
        return set(on_node("dock", "podman", *listing).split())

    dockerfile = f"FROM {repository}:base\nENV A=1\nENV B=2\nENV C=3\n"
    both: dict[str, t.Any] = {"globs": [repository], **docks_podman.options}
    try:
        on_node("dock", "sh", "-c", f"printf '{dockerfile}' | podman build --quiet --layers --tag {repository}:built -")
        every, built_id = left(), docks_podman.names()[f"{repository}:built"]
        assert len(every) == 4
        [kept] = asked("image_prune", image_prune.CAPABILITY, **{**both, "globs": [f"{repository}:base"]})["kept"]
        assert (kept["id"], kept["why"]) == (base_id, f"{built_id} was built on it")
        foretold = asked("image_prune", image_prune.CAPABILITY, check=True, **both)
        assert {one["id"] for one in foretold["removed"]} == every == left()
        assert foretold["bytes_gained"] == len(layer)
        assert asked("image_prune", image_prune.CAPABILITY, **both) == foretold
        assert left() == set()
    finally:
        for image_id in left():
            docks_podman.remove(image_id)
