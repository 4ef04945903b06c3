# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Three hosts that serve one registry, each to itself: made like the lab's Docker host for these tests, and taken away then."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import json
import os
import shutil
import socket
import subprocess
import sys
import typing as t
from pathlib import Path

import yaml

from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from tests.integration.asking import eventually
from tests.integration.registry_role.lab import LOGIN
from tests.lab import machines
from tests.lab.access import close_connections, inventory
from tests.lab.engine import inspect
from tests.lab.health import inactive_services
from tests.lab.nodes import DOCK, Node
from tests.lab.places import Places
from tests.lab.plan import plan
from tests.lab.progress import Progress

CHECKOUT = Path(__file__).resolve().parents[3]
HOSTS = [
    dataclasses.replace(DOCK, name=f"everywhere-{number}", address=f"10.90.0.3{number + 2}") for number in (1, 2, 3)
]
PLACES = Places(Places.of_user().root / "registry-everywhere")
NAME = "registry.site:5000"
BOOT_SECONDS = 90.0


def make(*hosts: Node) -> None:
    """Have these run, as new ones or as they were when they were stopped."""
    containers = {container.node.name: container for container in plan(HOSTS, PLACES, {}, PLACES.lab).containers}

    def settle(host: Node) -> None:
        machines.settle(containers[host.name], Progress())
        eventually(lambda: _answers(host) and not inactive_services(host), BOOT_SECONDS)

    with concurrent.futures.ThreadPoolExecutor() as several:
        list(several.map(settle, hosts))


def remove(*hosts: Node) -> None:
    close_connections(PLACES)
    for host in hosts:
        machines.remove(host.container)


@contextlib.contextmanager
def running() -> t.Iterator[None]:
    """They run, new, while the body does."""
    left = inspect("container", [host.container for host in HOSTS])
    for container in plan(HOSTS, PLACES, {}, PLACES.lab).containers:
        if left.get(container.node.container):
            machines.state(container, left[container.node.container])  # refuses one that is somebody else's
            machines.remove(container.node.container)
    try:
        make(*HOSTS)
        found = inventory(HOSTS, PLACES)["all"]
        named: dict[str, t.Any] = {"hosts": {host.name: {} for host in HOSTS}}
        groups = {"longshore_registry_hosts": named, "longshore_nodes": named}
        PLACES.inventory.parent.mkdir(parents=True, exist_ok=True)
        PLACES.inventory.write_text(yaml.safe_dump({"all": {**found, "children": groups}}))
        yield
    finally:
        remove(*HOSTS)
        shutil.rmtree(PLACES.root)


def _answers(host: Node) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((host.address, 22), 1) as connection:
        return connection.recv(4) == b"SSH-"
    return False


def play(playbook: str, *options: str, rc: int = 0, **variables: t.Any) -> str:
    """Run a playbook of the collection's; returns what was printed, on one line."""
    registry = {"endpoint": NAME, **LOGIN}
    given = json.dumps({"longshore_registry": registry, "longshore_images": [], **variables})
    program = Path(sys.executable).parent / "ansible-playbook"
    done = subprocess.run(
        [program, "-i", PLACES.inventory, CHECKOUT / "playbooks" / f"{playbook}.yml", "--extra-vars", given, *options],
        cwd=CHECKOUT,
        env={
            **os.environ,
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_TIMEOUT": "5",
            "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == rc, done.stdout[-8000:] + done.stderr[-4000:]
    return " ".join(done.stdout.split())


def on(host: Node, *argv: str) -> str:
    return subprocess.run(
        ["docker", "exec", "-i", host.container, *argv], capture_output=True, text=True, check=True
    ).stdout


def client(host: Node) -> RegistryClient:
    """Of the registry on one host, whatever the name stands for here."""
    ca = on(host, "cat", "/etc/longshore/registry/ca.crt")
    return RegistryClient(RegistrySettings.from_params({"endpoint": f"{host.address}:5000", "ca": ca, **LOGIN}))
