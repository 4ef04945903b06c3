# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names given to images of the lab's Docker and Podman, which are asked by their own programs."""

from __future__ import annotations

import json
import typing as t

import pytest
import yaml

from ansible_collections.longshore.delivery.plugins.module_utils.image.image_tag import CAPABILITY
from tests import returned
from tests.integration.asking import on_node

from .context import silent
from .lab import BUILDS, ENDPOINT, LOGIN, Builder, Nodes, ansible_playbook

pytestmark = pytest.mark.lab


def tag(image: str, *names: str, **options: t.Any) -> dict[str, t.Any]:
    """image_tag on the controller, with dock's engine."""
    defaults = {name: option.get("default") for name, option in CAPABILITY.argument_spec.items()}
    return returned.run(
        "image_tag", {**defaults, **BUILDS, "image": image, "references": list(names), **options}, silent()
    )


def test_a_name_moves_from_one_image_to_another(builder: Builder) -> None:
    old, new = builder.make("1"), builder.make("candidate")
    name = f"docker.io/{builder.repository}"
    moved = tag(f"{name}:candidate", f"{name}:1", f"{name}:2")
    assert [(one["before"], one["moved"]) for one in moved["tags"]] == [(old, True), (None, False)]
    assert {builder.engine.images.get(f"{builder.repository}:{each}").id for each in ("1", "2")} == {new}
    assert tag(new, f"{name}:1", f"{name}:2")["changed"] is False
    with pytest.raises(Exception, match="By 'immutable'"):
        tag(old, f"{name}:2", immutable=[f"{builder.repository}:2"])
    assert builder.engine.images.get(f"{builder.repository}:2").id == new
    builder.engine.api.remove_image(old)


def test_podman_on_a_host(builder: Builder, nodes: Nodes) -> None:
    builder.make("1")
    pushed = builder.push(tags=["1"])
    name = f"{ENDPOINT}/{builder.repository}"
    pull = {
        "images": [f"{name}:1@{pushed['digest']}"],
        "engine": "podman",
        "registry": {"endpoint": ENDPOINT, **LOGIN},
    }
    given = {"image": f"{name}:1", "references": [f"{name}:given"], "engine": "podman"}
    tasks: list[dict[str, t.Any]] = [
        {"name": "pull", "longshore.delivery.image_pull": pull},
        {"name": "give", "longshore.delivery.image_tag": given},
        {"name": "again", "longshore.delivery.image_tag": given},
    ]
    nodes.playbook.write_text(yaml.safe_dump([{"hosts": "dock", "gather_facts": False, "tasks": tasks}]))
    [ran] = ansible_playbook(nodes.playbook)["plays"]
    first, second = (task["hosts"]["dock"] for task in ran["tasks"][1:])
    assert (first["changed"], second["changed"]) == (True, False)
    [shown] = json.loads(on_node("dock", "podman", "image", "inspect", f"{name}:given"))
    assert shown["Id"] == first["image_id"]
    assert f"{name}:1" in shown["RepoTags"]
