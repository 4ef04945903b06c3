# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""An image of a host's Podman named and removed by the host's own Python; test_prune.py has the other engines."""

from __future__ import annotations

import json
import typing as t

import pytest
import yaml

from tests.integration.asking import on_node

from .lab import ENDPOINT, LOGIN, Builder, Nodes, ansible_playbook

pytestmark = [pytest.mark.lab, pytest.mark.wide]


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
    prune: dict[str, t.Any] = {"engine": "podman", "references": [f"{name}:1", f"{name}:given"]}
    tasks: list[dict[str, t.Any]] = [
        {"name": "pull", "longshore.delivery.image_pull": pull},
        {"name": "give", "longshore.delivery.image_tag": given},
        {"name": "again", "longshore.delivery.image_tag": given},
        {"name": "inspect", "ansible.builtin.command": {"argv": ["podman", "image", "inspect", f"{name}:given"]}},
        {"name": "foretell", "longshore.delivery.image_prune": prune, "check_mode": True},
        {"name": "prune", "longshore.delivery.image_prune": prune},
    ]
    nodes.playbook.write_text(yaml.safe_dump([{"hosts": "dock", "gather_facts": False, "tasks": tasks}]))
    [ran] = ansible_playbook(nodes.playbook)["plays"]
    first, second, inspected, foretold, pruned = (task["hosts"]["dock"] for task in ran["tasks"][1:])
    assert (first["changed"], second["changed"]) == (True, False)
    [shown] = json.loads(inspected["stdout"])
    image_id = "sha256:" + shown["Id"]
    assert image_id == first["image_id"]
    assert f"{name}:1" in shown["RepoTags"]
    # it has a name by its digest, too, since it was pulled by that
    [gone] = pruned["removed"]
    assert (gone["id"], sorted(gone["references"]), gone["whole"]) == (image_id, sorted(prune["references"]), True)
    assert (foretold["removed"], foretold["bytes_gained"]) == ([gone], pruned["bytes_gained"])
    assert shown["Id"] not in on_node("dock", "podman", "images", "--all", "--no-trunc", "--quiet")
