# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Registries of both kinds, pods on every node, and nodes that trust nothing of this collection's to begin with."""

from __future__ import annotations

import json
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from tests.integration.asking import kubectl
from tests.lab.nodes import Node
from tests.lab.scratch_images import BUSYBOX
from tests.unit.module_utils.registry.conftest import registry_program

from .lab import CONTAINERD_1, CONTAINERD_2, CRIO, EVERY_NODE, files, on, run_module, trust_set_aside
from .registries import LOGIN, Served, certificate, serving

__all__ = ["registry_program"]  # the fixture

NAMESPACE = "trust-test"
CLUSTER = (CONTAINERD_1, CONTAINERD_2, CRIO)
ROLE = """
- name: Trust
  hosts: longshore_nodes
  gather_facts: false
  tasks:
    - name: Trust
      ansible.builtin.import_role:
        name: longshore.delivery.registry_trust
"""


@pytest.fixture(scope="module")
def untrusting() -> t.Iterator[None]:
    with trust_set_aside():
        yield


@pytest.fixture(scope="module")
def private(registry_program: str, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Served]:
    """A registry with TLS by an authority of its own, and a login."""
    directory = tmp_path_factory.mktemp("private")
    authority, issued = certificate(directory / "certificates")
    with serving(registry_program, directory / "registry", issued, login=True) as endpoint:
        yield Served({"endpoint": endpoint, "ca": authority.pem, "username": LOGIN[0], "password": LOGIN[1]})


@pytest.fixture(scope="module")
def plain(registry_program: str, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Served]:
    """A registry that speaks HTTP."""
    directory = tmp_path_factory.mktemp("plain")
    with serving(registry_program, directory / "registry", None, login=False) as endpoint:
        yield Served({"endpoint": endpoint, "tls": "plain"})


class Trust:
    """What the nodes trust, brought to a known state: whatever the test before left, be it in the middle of its work."""

    def __init__(self, private: Served) -> None:
        self._private = private
        self._seen: dict[bool, dict[Node, dict[str, str]]] = {True: {}, False: {}}

    def be(self, trusted: bool) -> None:
        """All engines trust the private registry and no other, or none of this collection's."""
        now, seen = self._files(EVERY_NODE), self._seen[trusted]
        others = [node for node in EVERY_NODE if seen.get(node) != now[node]]
        self._run(others, state="absent")
        if trusted:
            self._run(others, registries=[self._private.options])
        seen.update(self._files(others))

    def _run(self, nodes: t.Sequence[Node], **options: t.Any) -> None:
        for name, result in run_module(*nodes, **options).items() if nodes else ():
            assert not result["failed"], f"{name}: {result}"

    def _files(self, nodes: t.Sequence[Node]) -> dict[Node, dict[str, str]]:
        with ThreadPoolExecutor() as pool:
            return dict(zip(nodes, pool.map(files, nodes)))


@pytest.fixture(scope="module")
def trust(untrusting: None, private: Served) -> Trust:
    return Trust(private)


@pytest.fixture
def trusted(trust: Trust) -> None:
    """Every engine trusts the private registry, and no other."""
    trust.be(trusted=True)


@pytest.fixture
def untrusted(trust: Trust) -> None:
    """No engine trusts either of the registries."""
    trust.be(trusted=False)


@pytest.fixture(scope="module")
def role(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("play") / "trust.yml"
    path.write_text(ROLE)
    return path


@pytest.fixture(scope="module")
def pods() -> t.Iterator[t.Callable[[], dict[str, str]]]:
    """A pod on each node of the cluster. Gives what tells whether one was killed: process, container and restarts."""

    def pod(node: Node) -> dict[str, t.Any]:
        container = {"name": "c", "image": BUSYBOX, "imagePullPolicy": "Never", "command": ["sleep", "100000"]}
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": node.name, "namespace": NAMESPACE},
            "spec": {"nodeName": node.name, "terminationGracePeriodSeconds": 0, "containers": [container]},
        }

    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    kubectl("apply", "-f", "-", data=yaml.safe_dump_all([namespace, *(pod(node) for node in CLUSTER)]))
    kubectl("wait", "-n", NAMESPACE, "--for=condition=Ready", "--timeout=90s", "pod", "--all")

    def state() -> dict[str, str]:
        found = {}
        for node in CLUSTER:
            status = json.loads(kubectl("get", "pod", "-n", NAMESPACE, node.name, "-o", "json"))["status"]
            (container,) = status["containerStatuses"]
            identifier = container["containerID"].rpartition("/")[2]
            pid = json.loads(on(node, "crictl", "inspect", identifier).stdout)["info"]["pid"]
            found[node.name] = (
                f"{identifier} {pid} {container['restartCount']} {on(node, 'stat', '-c', '%Z', f'/proc/{pid}').stdout}"
            )
        return found

    try:
        yield state
    finally:
        kubectl("delete", "namespace", NAMESPACE, "--wait=false")
