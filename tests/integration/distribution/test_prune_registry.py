# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook prune_registry: it asks every engine of the nodes and the cluster before anything goes."""

from __future__ import annotations

import json
import typing as t
import uuid
from pathlib import Path

import pytest
import yaml

from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from tests.unit.module_utils.image.making import image, push

from .lab import CHECKOUT, ENDPOINT, LOGIN, PLACES, Builder, Nodes, ansible_playbook

pytestmark = [pytest.mark.lab, pytest.mark.wide]

PLAYBOOK = CHECKOUT / "playbooks" / "prune_registry.yml"


def inventory(directory: Path, **hosts: dict[str, t.Any]) -> Path:
    """More of the lab's: further nodes, and variables of those that there are."""
    written = directory / f"{'-'.join(hosts)}.yml"
    written.write_text(yaml.safe_dump({"longshore_nodes": {"hosts": hosts}}))
    return written


def results(ran: dict[str, t.Any]) -> dict[str, t.Any]:
    """By task, what localhost got."""
    return {
        task["task"]["name"]: task["hosts"]["localhost"]
        for play in ran["plays"]
        for task in play["tasks"]
        if "localhost" in task["hosts"]
    }


def test_what_any_engine_of_a_node_has_stays(builder: Builder, nodes: Nodes, tmp_path: Path) -> None:
    salt = uuid.uuid4().hex
    made = {tag: image(f"{salt} {tag}") for tag in (*nodes.names, "podman", "old")}
    for tag, one in made.items():
        push(builder.client, builder.repository, one, tag)
        builder.manifests.add((builder.repository, ManifestDigest.parse(one.digest)))
    references = {tag: f"{ENDPOINT}/{builder.repository}@{one.digest}" for tag, one in made.items()}
    own, podman = nodes.pull(
        {"images": [f"{{{{ {json.dumps(references)}[inventory_hostname] }}}}"]},
        {"images": [references["podman"]], "engine": "podman"},
    )
    assert not [name for name, result in own.items() if result.get("failed")]
    assert not podman["dock"].get("failed")
    both = inventory(tmp_path, dock={"longshore_engines": ["docker", "podman"]})
    given: dict[str, t.Any] = {
        "longshore_registry": {"endpoint": ENDPOINT, **LOGIN},
        "longshore_kubeconfig": str(PLACES.kubeconfig),
        "longshore_retention": [{"repositories": [builder.repository], "keep_newest": 0}],
    }

    away = inventory(tmp_path, away={"ansible_host": "127.0.0.1", "ansible_port": 1})
    refused = results(ansible_playbook(PLAYBOOK, both, away, **given))["Delete what no rule keeps and nothing uses"]
    assert "it is not known what away has" in refused["msg"]
    assert all(builder.client.head_manifest(builder.repository, tag) for tag in made)

    pruned = results(ansible_playbook(PLAYBOOK, both, **given))["Delete what no rule keeps and nothing uses"]
    assert [one["tags"] for one in pruned["removed"]] == [["old"]]
    assert {one["tags"][0]: one["why"] for one in pruned["kept"]} == {
        **{name: [f"in use by {name}"] for name in nodes.names},
        "podman": ["in use by dock"],
    }
    assert builder.client.head_manifest(builder.repository, "old") is None
