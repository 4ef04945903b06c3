# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""KUBECONFIG=... INVENTORY=...: what is missing is told in one sentence, before anything is delivered."""

from __future__ import annotations

import os
import subprocess
import typing as t
from pathlib import Path

import pytest

from tests.demo.cluster import Cluster
from tests.demo.errors import DemoError
from tests.demo.inventory import Inventory
from tests.demo.preflight import check, check_builder, check_nodes, check_registry, host_in_cluster
from tests.demo.settings import CHECKOUT, COLLECTIONS, EXAMPLE, Settings, of_lab, own

from .conftest import ApiServer

NODES = "{all: {children: {longshore_nodes: {hosts: {node1: {}, node2: {}}}}}}"
REGISTRY = "longshore_registry: {endpoint: '192.0.2.1:5000'}"


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example's inventory, as the demo copies it; nothing of this machine's settings."""
    for name in ("ANSIBLE_CONFIG", "ANSIBLE_COLLECTIONS_PATH", "KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)
    directory = tmp_path / "demo" / "shop"
    directory.mkdir(parents=True)
    (directory / "inventory").symlink_to(EXAMPLE / "inventory")
    return directory


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A user's inventory that has all that is needed."""
    directory = tmp_path / "mine"
    (directory / "group_vars").mkdir(parents=True)
    (directory / "hosts.yml").write_text(NODES)
    (directory / "group_vars" / "all.yml").write_text(REGISTRY)
    return directory


@pytest.fixture
def settings(workspace: Path, mine: Path, api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig))
    return own(workspace, str(mine))


def nodes(*names: str) -> dict[str, t.Any]:
    info = dict.fromkeys(
        (
            "architecture", "bootID", "containerRuntimeVersion", "kernelVersion", "kubeProxyVersion", "kubeletVersion",
            "machineID", "operatingSystem", "osImage", "systemUUID",
        ),
        "some",
    )  # fmt: skip
    return {"items": [{"metadata": {"name": name}, "status": {"nodeInfo": info}} for name in names]}


def test_both_must_be_given(workspace: Path, mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DemoError, match="KUBECONFIG is not: set both"):
        own(workspace, str(mine))
    monkeypatch.setenv("KUBECONFIG", "/nowhere/kubeconfig:/nowhere/else")
    with pytest.raises(DemoError, match="names several files, /nowhere/kubeconfig:/nowhere/else: give the one"):
        own(workspace, str(mine))
    monkeypatch.setenv("KUBECONFIG", "/nowhere/kubeconfig")
    with pytest.raises(DemoError, match="KUBECONFIG: there is no file /nowhere/kubeconfig"):
        own(workspace, str(mine))


def test_every_inventory_must_be_there(settings: Settings, mine: Path) -> None:
    assert own(settings.workspace, f"{mine}, {mine}/hosts.yml").inventories[1:] == (mine, mine / "hosts.yml")
    with pytest.raises(DemoError, match="INVENTORY: there is no /nowhere/hosts"):
        own(settings.workspace, f"{mine},/nowhere/hosts")
    with pytest.raises(DemoError, match="INVENTORY names no file"):
        own(settings.workspace, ",")


def test_the_users_ansible_configuration_is_kept_and_finds_the_collection(
    settings: Settings, tmp_path: Path, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings.environment["ANSIBLE_CONFIG"] == str(CHECKOUT / "ansible.cfg")
    assert settings.environment["ANSIBLE_COLLECTIONS_PATH"] == str(COLLECTIONS)
    configuration = tmp_path / "own.cfg"
    configuration.write_text("[defaults]\ncollections_path = mine:/opt/collections\ntimeout = 77\n")
    monkeypatch.setenv("ANSIBLE_CONFIG", str(configuration))
    environment = own(settings.workspace, str(mine)).environment
    assert environment["ANSIBLE_CONFIG"] == str(configuration)
    assert environment["ANSIBLE_COLLECTIONS_PATH"] == f"{COLLECTIONS}:{tmp_path}/mine:/opt/collections"
    monkeypatch.setenv("ANSIBLE_COLLECTIONS_PATH", "/elsewhere")
    environment = own(settings.workspace, str(mine)).environment
    assert environment["ANSIBLE_COLLECTIONS_PATH"] == f"{COLLECTIONS}:/elsewhere"
    monkeypatch.setenv("ANSIBLE_CONFIG", "/nowhere/ansible.cfg")
    with pytest.raises(DemoError, match=r"ANSIBLE_CONFIG: there is no /nowhere/ansible\.cfg"):
        own(settings.workspace, str(mine))


def test_an_exported_kubeconfig_does_not_reach_the_lab(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = tmp_path / "longshore" / "lab"
    lab.mkdir(parents=True)
    for name in ("inventory.yml", "kubeconfig"):
        (lab / name).write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", "/home/me/.kube/config")
    settings = of_lab(workspace)
    assert settings.lab
    assert settings.kubeconfig == lab / "kubeconfig"
    assert "KUBECONFIG" not in settings.environment


def test_what_has_all_that_is_needed_passes(settings: Settings, api: ApiServer, tmp_path: Path) -> None:
    api.answers["/api/v1/nodes"] = nodes("elsewhere", "node2")
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text("#!/bin/sh\ntest \"$*\" = 'buildx version'\n")
    docker.chmod(0o755)
    settings.environment["PATH"] = f"{docker.parent}:{settings.environment['PATH']}"
    check(settings)
    assert host_in_cluster(Inventory.of(settings), Cluster(settings)) == "node2"


def test_an_inventory_that_cannot_be_read_is_no_empty_one(settings: Settings, mine: Path) -> None:
    (mine / "hosts.yml").write_text("all: [")
    with pytest.raises(DemoError, match=r"^Ansible cannot read the inventory: .*hosts\.yml"):
        Inventory.of(settings)


@pytest.mark.parametrize("hosts", ["{all: {hosts: {node1: {}}}}", "{all: {children: {longshore_nodes: {hosts: {}}}}}"])
def test_there_must_be_nodes(settings: Settings, mine: Path, hosts: str) -> None:
    (mine / "hosts.yml").write_text(hosts)
    with pytest.raises(DemoError, match="the group longshore_nodes of INVENTORY has no host"):
        check_nodes(Inventory.of(settings))


def test_nodes_may_be_in_groups_below(settings: Settings, mine: Path) -> None:
    groups = "{all: {children: {longshore_nodes: {children: {cluster: {hosts: {node1: {}}}}}}}}"
    (mine / "hosts.yml").write_text(groups)
    check_nodes(Inventory.of(settings))


def test_the_registry_must_be_the_users_on_localhost_too(settings: Settings, mine: Path) -> None:
    (mine / "group_vars" / "all.yml").unlink()
    with pytest.raises(
        DemoError, match=r"is not set for localhost, node1, node2 \(the example's registry.example:5000"
    ):
        check_registry(Inventory.of(settings))
    (mine / "group_vars" / "longshore_nodes.yml").write_text(REGISTRY)
    with pytest.raises(DemoError, match="is not set for localhost "):
        check_registry(Inventory.of(settings))
    (mine / "group_vars" / "all.yml").write_text("longshore_registry: '{{ company_registry }}'")
    check_registry(Inventory.of(settings))


def test_docker_must_be_there_with_buildx(settings: Settings, tmp_path: Path) -> None:
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    settings.environment["PATH"] = str(docker.parent)
    with pytest.raises(DemoError, match="there is no docker"):
        check_builder(settings)
    docker.write_text("#!/bin/sh\necho 'docker: unknown command: docker buildx' >&2; exit 1\n")
    docker.chmod(0o755)
    with pytest.raises(DemoError, match="docker has no buildx here: docker: unknown command"):
        check_builder(settings)


def test_a_node_of_the_cluster_must_be_a_host_of_the_inventory(settings: Settings, api: ApiServer) -> None:
    api.answers["/api/v1/nodes"] = nodes("ip-10-0-0-1", "ip-10-0-0-2")
    with pytest.raises(DemoError, match=r"no node of the cluster \(ip-10-0-0-1, ip-10-0-0-2\) is a host"):
        host_in_cluster(Inventory.of(settings), Cluster(settings))


def test_a_cluster_that_refuses_or_is_not_there_is_told(settings: Settings, api: ApiServer) -> None:
    api.answers["/api/v1/nodes"] = 403
    with pytest.raises(DemoError, match="does not tell its nodes: HTTP 403 Forbidden"):
        Cluster(settings).nodes()
    api.kubeconfig.write_text(api.kubeconfig.read_text().replace("127.0.0.1:", "127.0.0.1:1#"))
    with pytest.raises(DemoError, match="does not tell its nodes, its API server cannot be reached"):
        Cluster(settings).nodes()
    api.kubeconfig.write_text("apiVersion: v1")
    with pytest.raises(DemoError, match=r"^the kubeconfig \S+ cannot be used"):
        Cluster(settings)


@pytest.mark.parametrize(
    ("given", "refused"),
    [(["KUBECONFIG=/some/file"], True), ([], False), (["KUBECONFIG=/some/file", "INVENTORY=/some/hosts"], False)],
)
def test_make_refuses_a_kubeconfig_alone_unless_it_is_only_exported(given: list[str], refused: bool) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("INVENTORY", "MAKEFLAGS")}
    command = ["make", "--dry-run", "--assume-old=venv", *given, "demo"]
    done = subprocess.run(
        command,
        cwd=CHECKOUT,
        env={**environment, "KUBECONFIG": "/exported"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ("INVENTORY is not" in done.stdout) == refused
    assert ("tests.lab up" in done.stdout) == (not given)
