# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Three hosts that serve one registry, each to itself: made like the lab's Docker host for these tests, and taken away then."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import yaml

from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from tests.integration.docker_hosts import DockerHosts
from tests.integration.registry_role.lab import LOGIN
from tests.lab.access import inventory
from tests.lab.nodes import DOCK, Node
from tests.lab.places import Places

CHECKOUT = Path(__file__).resolve().parents[3]
HOSTS = [
    dataclasses.replace(DOCK, name=f"everywhere-{number}", address=f"10.90.0.3{number + 2}") for number in (1, 2, 3)
]
PLACES = Places(Places.of_user().root / "registry-everywhere")
NAME = "registry.site:5000"
_MADE = DockerHosts(HOSTS, PLACES)
make, remove = _MADE.make, _MADE.remove


@contextlib.contextmanager
def running() -> t.Iterator[None]:
    """They run, new, while the body does."""
    with _MADE.running():
        say_which(*HOSTS)
        yield


def say_which(*hosts: Node, away: t.Sequence[Node] = ()) -> None:
    """Have the inventory name these as hosts of the registry and as nodes, but for those that it is to be taken away from."""
    found = inventory(HOSTS, PLACES)["all"]
    named: dict[str, t.Any] = {host.name: {"registry_state": "absent"} if host in away else {} for host in hosts}
    nodes: dict[str, t.Any] = {host.name: {} for host in hosts if host not in away}
    groups = {"longshore_registry_hosts": {"hosts": named}, "longshore_nodes": {"hosts": nodes}}
    PLACES.inventory.parent.mkdir(parents=True, exist_ok=True)
    PLACES.inventory.write_text(yaml.safe_dump({"all": {**found, "children": groups}}))


def play(playbook: str, *options: str, rc: int = 0, **variables: t.Any) -> str:
    """Run a playbook of the collection's; returns what was printed, on one line."""
    registry = {"endpoint": NAME, **LOGIN}
    wanted = {"longshore_registry": registry, "longshore_registry_mirrors": True, "longshore_images": []}
    given = json.dumps({**wanted, **variables})
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


def trusting(host: Node) -> str:
    """What the engines of a host have in their files of registries."""
    return on(
        host, "sh", "-c", "cd /etc && grep --recursive . docker/certs.d containers/certs.d containers/registries.conf.d"
    )


def client(host: Node) -> RegistryClient:
    """Of the registry on one host, whatever the name stands for here."""
    ca = on(host, "cat", "/etc/longshore/registry/ca.crt")
    return RegistryClient(RegistrySettings.from_params({"endpoint": f"{host.address}:5000", "ca": ca, **LOGIN}))
