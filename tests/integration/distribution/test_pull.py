# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the lab's registry to every engine, the engines asked by their own programs."""

from __future__ import annotations

import json
import socket
import typing as t
from pathlib import Path

import pytest
import yaml

from tests.integration.asking import on_node

from .lab import BUILDS, CHECKOUT, ENDPOINT, LOGIN, NO_DIGEST, Builder, Nodes, Stranger, ansible_playbook

pytestmark = pytest.mark.lab


def test_every_engine_holds_the_digest_and_a_second_pull_does_nothing(builder: Builder, nodes: Nodes) -> None:
    builder.make("1", size=300_000)
    pushed = builder.push(tags=["1"])["reference"]
    index = f"{ENDPOINT}/{builder.repository}@{builder.serve_index('1')}"
    both = {"images": [pushed, index]}
    [foreseen] = nodes.pull(both, check=True)
    assert all(result["changed"] for result in foreseen.values())
    assert not any({pushed, index} & nodes.held(node) for node in nodes.names)
    first, second = nodes.pull(both, both)
    kinds = {"cp": "containerd", "n1": "containerd", "n2": "crio", "dock": "docker"}
    for node in nodes.names:
        assert first[node]["changed"], first[node]
        assert first[node]["engine"] == kinds[node]
        assert {pushed, index} <= nodes.held(node)
        assert second[node]["changed"] is False
        assert [image["present"] for image in second[node]["images"]] == [True, True]


def test_podman_beside_docker_and_a_tag(builder: Builder, nodes: Nodes) -> None:
    builder.make("1")
    pushed = builder.push(tags=["1"])
    tagged = f"{ENDPOINT}/{builder.repository}:given@{pushed['digest']}"
    play = [
        {
            "hosts": "dock",
            "gather_facts": False,
            "tasks": [
                {
                    "name": "pull",
                    "longshore.delivery.image_pull": {
                        "images": [tagged],
                        "engine": engine,
                        "registry": {"endpoint": ENDPOINT, **LOGIN},
                    },
                }
                for engine in ("podman", "podman", "docker", "docker")
            ],
        }
    ]
    nodes.playbook.write_text(yaml.safe_dump(play))
    [ran] = ansible_playbook(nodes.playbook)["plays"]
    assert [task["hosts"]["dock"]["changed"] for task in ran["tasks"]] == [True, False, True, False]
    for engine in ("podman", "docker"):
        named = on_node("dock", engine, "image", "inspect", f"{ENDPOINT}/{builder.repository}:given")
        assert pushed["reference"] in json.loads(named)[0]["RepoDigests"]
    left = on_node("dock", "sh", "-c", "find /run /tmp -name 'longshore-pull-*' | wc -l")
    assert left.strip() == "0"


def test_one_missing_image_keeps_no_other_from_being_pulled(builder: Builder, nodes: Nodes) -> None:
    builder.make("1")
    pushed = builder.push(tags=["1"])["reference"]
    missing = f"{ENDPOINT}/{builder.repository}@{NO_DIGEST}"
    [results] = nodes.pull({"images": [missing, pushed]})
    for node, result in results.items():
        assert result["failed"], result
        assert result["engine_error"] == "not_found", result["msg"]
        assert result["changed"], result["msg"]
        assert node in result["msg"]
        assert missing in result["msg"]
        assert pushed not in result["msg"]
        assert pushed in nodes.held(node)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_every_engines_words_become_one_cause(
    builder: Builder, nodes: Nodes, strangers: tuple[Stranger, Stranger]
) -> None:
    builder.make("1")
    pushed = builder.push(tags=["1"])["reference"]
    gateway = strangers[0].endpoint.rpartition(":")[0]
    misleading = "denied/x509/not-found-401"  # as engines name it in everything that they say
    cases: dict[str, dict[str, t.Any]] = {
        "unauthorized": {
            "images": [pushed],
            "registry": {"endpoint": ENDPOINT, "username": "ci", "password": "wrong-one"},
        },
        "not_found": {"images": [f"{ENDPOINT}/{misleading}@{NO_DIGEST}"]},
        "ca": {"images": [f"{strangers[0].endpoint}/{misleading}@{NO_DIGEST}"]},
        "https_on_http": {"images": [f"{strangers[1].endpoint}/{misleading}@{NO_DIGEST}"]},
        "refused": {"images": [f"{gateway}:{closed_port()}/{misleading}@{NO_DIGEST}"]},
        "name": {"images": [f"nowhere.invalid/{misleading}@{NO_DIGEST}"]},
    }
    for kind, results in zip(cases, nodes.pull(*cases.values())):
        for node, result in results.items():
            assert result.get("engine_error") == kind, (node, result)
            assert result["failed"]
            assert result["changed"] is False
            assert f"{result['engine']} on {node}" in result["msg"].lower()  # at the head of a sentence, too
            assert cases[kind]["images"][0].partition("/")[0] in result["msg"]
    # no password in what modules leave in the nodes' journals
    for node in nodes.names:
        journal = on_node(node, "journalctl", "--since", "-10min", "--output", "cat")
        assert "Invoked with" in journal
        assert LOGIN["password"] not in journal
        assert "wrong-one" not in journal


@pytest.mark.wide
def test_the_playbook_serves_all_nodes_but_one_that_is_away(builder: Builder, nodes: Nodes, tmp_path: Path) -> None:
    builder.make("1")
    builder.make("1", name=f"{builder.repository}/base")
    builder.make("1", name=f"{builder.repository}/unwanted")
    images = [
        {"name": builder.repository, "tags": ["1"], "source": "unused"},
        {"name": f"{builder.repository}/base", "tags": ["1"], "distribute": "registry"},
        {"name": f"{builder.repository}/unwanted", "tags": ["1"], "distribute": "nowhere"},
    ]
    away = tmp_path / "away.yml"
    away.write_text("longshore_nodes: {hosts: {away: {ansible_host: 127.0.0.1, ansible_port: 1}}}\n")
    given = {"longshore_registry": builder.registry, "longshore_images": images, "longshore_builder": BUILDS}
    playbook = CHECKOUT / "playbooks" / "distribute.yml"
    first = ansible_playbook(playbook, away, **given)
    assert first["stats"]["away"]["unreachable"] == 1
    assert "Not served: away." in json.dumps(first["plays"][-1])
    digests = {}
    for name in (builder.repository, f"{builder.repository}/base"):
        head = builder.client.head_manifest(name, "1")
        assert head is not None
        digests[name] = head.digest
        builder.manifests.add((name, head.digest))
    assert builder.client.head_manifest(f"{builder.repository}/unwanted", "1") is None
    for node in nodes.names:
        assert first["stats"][node]["failures"] == 0
        held = {name for name in nodes.held(node) if builder.repository in name}
        assert held == {f"{ENDPOINT}/{builder.repository}@{digests[builder.repository]}"}
    second = ansible_playbook(playbook, **given)
    assert {host: stats["changed"] for host, stats in second["stats"].items()} == dict.fromkeys(
        [*nodes.names, "localhost"], 0
    )
