# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images removed from dock's Docker and Podman, and those left that something needs."""

from __future__ import annotations

import io
import json
import tarfile
import typing as t
import uuid

import pytest
import yaml

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Context
from ansible_collections.longshore.delivery.plugins.module_utils.image.image_prune import CAPABILITY
from ansible_collections.longshore.delivery.plugins.plugin_utils.in_process import run_command
from tests import returned
from tests.integration.asking import on_node

from .lab import BUILDS, PREFIX, Builder, ansible_playbook

pytestmark = pytest.mark.lab


def prune(*, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
    """image_prune on the controller, with dock's engine."""
    defaults = {name: option.get("default") for name, option in CAPABILITY.argument_spec.items()}
    context = Context(check, True, pytest.fail, lambda line: None, run_command)
    return returned.run("image_prune", {**defaults, **BUILDS, **options}, context)


@pytest.fixture
def builder() -> t.Iterator[Builder]:
    made = Builder("")
    yield made
    made.remove()


def used(builder: Builder) -> int:
    """The bytes of all layers in dock's engine, as it counts them itself."""
    return int(builder.engine.api.df()["LayersSize"])


def test_the_bytes_that_check_mode_tells_are_gained(builder: Builder) -> None:
    """Of two images that share a layer, one goes: what is shared stays, and the engine has so much less."""
    base = builder.make("base", size=70_000)
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as tar:
        lines = f"FROM {builder.repository}:base\nADD more /\nENV A=1\nLABEL own={uuid.uuid4().hex}\n".encode()
        for name, content in (("Dockerfile", lines), ("more", uuid.uuid4().bytes * 1000)):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    context.seek(0)
    built, _log = builder.engine.images.build(
        fileobj=context, custom_context=True, rm=True, tag=f"{builder.repository}:built"
    )
    wanted: dict[str, t.Any] = {"globs": [f"{builder.repository}:built"]}
    foretold, before = prune(check=True, **wanted), used(builder)
    assert foretold["removed"][0]["id"] == built.id
    assert len(foretold["removed"]) == 3  # with what the classic builder left of two steps
    assert foretold["bytes_gained"] == 16_000
    assert prune(**wanted) == foretold
    assert before - used(builder) == foretold["bytes_gained"]
    assert prune(**wanted)["changed"] is False
    assert builder.engine.images.get(base)


def test_what_a_container_uses_stays_and_the_newest_do(builder: Builder) -> None:
    ids = [builder.make(str(number)) for number in range(4)]
    container = builder.engine.api.create_container(ids[0], ["/data"], name=f"{PREFIX}-{uuid.uuid4().hex[:12]}")
    try:
        # they are all of one second or two: what is as new as the last that stays, stays too
        kept = prune(references=[*ids, f"{builder.repository}:1"])
        assert [one["id"] for one in kept["kept"]] == [ids[0]]
        assert sorted(one["id"] for one in kept["removed"]) == sorted(ids[1:])
        assert {image.id for image in builder.engine.images.list(name=builder.repository)} == {ids[0]}
    finally:
        builder.engine.api.remove_container(container)
    again = builder.make("0")  # leaves the first one without a name
    assert [one["id"] for one in prune(check=True, dangling=True, older_than="0s")["removed"] if one["id"] == ids[0]]
    gone = prune(references=[ids[0][7:19]], dangling=True)
    assert ([one["id"] for one in gone["removed"]], gone["bytes_gained"]) == (ids[:1], 20_000)
    assert builder.engine.images.get(f"{builder.repository}:0").id == again


def test_podman_on_a_host(tmp_path: t.Any) -> None:
    name = f"localhost/{PREFIX}/{uuid.uuid4().hex[:12]}"
    script = (
        f"head -c 5000 /dev/urandom > d && tar cf - d | podman import -q - {name}:1 && podman tag {name}:1 {name}:2"
    )
    made = on_node("dock", "sh", "-c", f"cd $(mktemp -d) && {script}; rm -r $PWD").split()[-1].removeprefix("sha256:")
    tasks = [
        {"longshore.delivery.image_prune": {"engine": "podman", "references": [reference]}, "name": "prune"}
        for reference in (f"{name}:1", f"{name}:1", made[:12])
    ]
    playbook = tmp_path / "prune.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": "dock", "gather_facts": False, "tasks": tasks}]))
    [ran] = ansible_playbook(playbook)["plays"]
    first, again, last = (task["hosts"]["dock"] for task in ran["tasks"])
    assert first["removed"] == [
        {"id": made, "references": [f"{name}:1"], "whole": False, "size": first["removed"][0]["size"]}
    ]
    assert (first["bytes_gained"], again["changed"]) == (0, False)
    assert [(one["references"], one["whole"]) for one in last["removed"]] == [([f"{name}:2"], True)]
    assert last["bytes_gained"] == last["removed"][0]["size"]
    assert name not in json.dumps(json.loads(on_node("dock", "podman", "images", "--format", "json")))
