# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One image in every engine of the lab, in its registry and in a layout: image_info shows it alike, as their programs do."""

from __future__ import annotations

import io
import json
import tarfile
import typing as t
import uuid

import pytest
import yaml

from ansible_collections.longshore.delivery.plugins.module_utils.image.image_info import CAPABILITY
from tests import returned
from tests.integration.asking import on_node

from .context import silent
from .lab import BUILDS, ENDPOINT, LOGIN, Builder, Nodes, ansible_playbook

pytestmark = [pytest.mark.lab, pytest.mark.wide]

ENGINES = {"cp": "containerd", "n1": "containerd", "n2": "crio", "dock": "docker"}
LABEL = "longshore.test"


def made(builder: Builder, tag: str, label: str) -> str:
    """An image of two settings, which is like no other; returns its ID."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        member = tarfile.TarInfo("data")
        member.size = 32
        tar.addfile(member, io.BytesIO(uuid.uuid4().hex.encode()))
    changes = [f"LABEL {LABEL}={label}", "USER 10001", 'ENTRYPOINT ["/web"]']
    name = f"{ENDPOINT}/{builder.repository}"
    said = builder.engine.api.import_image_from_data(archive.getvalue(), name, tag, changes)
    return str(json.loads(said)["status"])


def here(**options: t.Any) -> list[dict[str, t.Any]]:
    """What image_info shows on the controller."""
    defaults = {name: option.get("default") for name, option in CAPABILITY.argument_spec.items()}
    found: list[dict[str, t.Any]] = returned.run("image_info", {**defaults, **options}, silent())["images"]
    return found


def on_nodes(nodes: Nodes, *plays: tuple[str, list[dict[str, t.Any]]]) -> list[dict[str, dict[str, t.Any]]]:
    """Run plays, of hosts and tasks each, on nodes: for each task the results by node."""
    listed = [
        {"hosts": hosts, "gather_facts": False, "tasks": [{"name": "do", **task} for task in tasks]}
        for hosts, tasks in plays
    ]
    nodes.playbook.write_text(yaml.safe_dump(listed))
    ran = ansible_playbook(nodes.playbook)["plays"]
    return [task["hosts"] for play in ran for task in play["tasks"]]


def look(**options: t.Any) -> dict[str, t.Any]:
    return {"longshore.delivery.image_info": options}


def pull(image: str, **options: t.Any) -> dict[str, t.Any]:
    return {
        "longshore.delivery.image_pull": {"images": [image], "registry": {"endpoint": ENDPOINT, **LOGIN}, **options}
    }


def alike(shown: dict[str, t.Any]) -> dict[str, t.Any]:
    """What every store tells of the image in the same words."""
    same = {key: shown[key] for key in ("platform", "created", "labels", "config")}
    return {**same, "diff_ids": [layer["diff_id"] for layer in shown["layers"]]}


@pytest.fixture
def left_on_dock() -> t.Iterator[str]:
    """A directory on dock that is taken away afterwards."""
    path = f"/tmp/longshore-test-info-{uuid.uuid4().hex[:12]}"
    yield path
    on_node("dock", "rm", "-rf", path, f"{path}.tar")


def test_one_image_everywhere(builder: Builder, nodes: Nodes, left_on_dock: str) -> None:
    label = uuid.uuid4().hex
    image_id = made(builder, "1", label)
    pushed = builder.push(tags=["1"])
    reference, tagged = pushed["reference"], f"{ENDPOINT}/{builder.repository}:1"
    manifest = builder.served("1")
    assert manifest is not None
    config = json.loads(builder.client.get_blob(builder.repository, t.cast("t.Any", manifest.config_digest)))

    [served] = here(store="registry", registry=builder.registry, references=[tagged])
    assert served["digests"] == {
        "config": str(manifest.config_digest),
        "manifest": pushed["digest"],
        "index": None,
    }
    assert served["references"] == [tagged]
    assert served["labels"] == {LABEL: label}
    assert served["config"] == {"User": "10001", "Entrypoint": ["/web"]}
    assert alike(served)["diff_ids"] == config["rootfs"]["diff_ids"]

    [built] = here(references=[tagged], **BUILDS)
    assert [built] == here(references=[image_id[: len("sha256:") + 12]], **BUILDS)
    assert (built["id"], built["digests"]["config"]) == (image_id, str(manifest.config_digest))
    assert reference in built["repository_digests"]
    assert alike(built) == alike(served)
    assert built["layers"][0]["size"] == built["size"]

    command = "ansible.builtin.command"
    _pulled, by_digest, by_glob, _held, _saved, _packed, podman, directory, tar, gone = on_nodes(
        nodes,
        (
            "longshore_nodes",
            [pull(reference), look(references=[reference]), look(globs=[f"**/{builder.repository}"])],
        ),
        (
            "dock",
            [
                pull(f"{tagged}@{pushed['digest']}", engine="podman"),
                {command: {"argv": ["podman", "save", "-q", "--format", "oci-dir", "-o", left_on_dock, tagged]}},
                {command: {"argv": ["tar", "-C", left_on_dock, "-cf", f"{left_on_dock}.tar", "."]}},
                look(engine="podman", references=[tagged]),
                look(store="layout", layout=left_on_dock),
                look(store="layout", layout=f"{left_on_dock}.tar"),
                look(engine="podman", references=[f"{tagged}-none"]),
            ],
        ),
    )
    for node, engine in ENGINES.items():
        assert by_digest[node]["engine"] == engine
        [held] = by_digest[node]["images"]
        assert [held] == by_glob[node]["images"]
        assert held["id"] == held["digests"]["config"] == str(manifest.config_digest)
        assert reference in held["repository_digests"]
        assert alike(held) == alike(served), node
        assert held["size"] > 0
    [held] = podman["dock"]["images"]
    assert held["digests"] == served["digests"]
    [inspected] = json.loads(on_node("dock", "podman", "image", "inspect", tagged))
    assert (held["id"], held["size"]) == ("sha256:" + inspected["Id"], inspected["Size"])
    for layout in (directory, tar):
        [stored] = layout["dock"]["images"]
        assert alike(stored) == alike(served)
        assert len(stored["layers"][0]["digest"]) == len("sha256:") + 64
    assert gone["dock"]["images"] == []


def test_every_image_of_every_engine_can_be_shown(nodes: Nodes) -> None:
    """Whatever others put there; as many as the engines' own programs list. An engine that is not there is said."""
    everywhere, podman, missing = on_nodes(
        nodes,
        ("longshore_nodes", [look()]),
        ("dock", [look(engine="podman")]),
        ("n1", [{**look(engine="docker"), "ignore_errors": True}]),
    )
    counted = {
        node: len(json.loads(on_node(node, "crictl", "images", "-o", "json"))["images"])
        for node in nodes.names
        if node != "dock"
    }
    counted["dock"] = len(set(on_node("dock", "docker", "images", "--quiet", "--no-trunc").split()))
    assert {node: len(result["images"]) for node, result in everywhere.items()} == counted
    in_podman = len(set(on_node("dock", "podman", "images", "--quiet", "--no-trunc").split()))
    assert len(podman["dock"]["images"]) == in_podman
    for result in (*everywhere.values(), *podman.values()):
        for shown in result["images"]:
            assert shown["platform"], shown["id"]
    assert missing["n1"]["failed"]
    assert "Docker is to be asked on n1" in missing["n1"]["msg"]
    assert "docker.sock is not there" in missing["n1"]["msg"]
