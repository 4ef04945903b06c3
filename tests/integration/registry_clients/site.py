# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A registry on a host of its own, and all nodes of the lab as those that pull from it."""

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

from tests.integration.docker_hosts import DockerHosts
from tests.integration.registry_role.lab import LOGIN
from tests.integration.registry_trust.lab import EVERY_NODE
from tests.lab.access import inventory
from tests.lab.nodes import DOCK, Node
from tests.lab.places import Places

CHECKOUT = Path(__file__).resolve().parents[3]
HOST = dataclasses.replace(DOCK, name="clients", address="10.90.0.36")
PLACES = Places(Places.of_user().root / "registry-clients")
ENDPOINT = f"{HOST.address}:5000"
REGISTRY = {"endpoint": ENDPOINT, "tls": "verified", **LOGIN}
PLAIN = {**REGISTRY, "tls": "plain"}


@contextlib.contextmanager
def running() -> t.Iterator[None]:
    """The host runs, new, while the body does, in an inventory with the lab's nodes."""
    with DockerHosts([HOST], PLACES).running():
        PLACES.inventory.write_text(yaml.safe_dump({"all": _inventory()}))
        yield


def _inventory() -> dict[str, t.Any]:
    """Each is reached by the key that it knows."""

    def reached(nodes: t.Sequence[Node], places: Places) -> dict[str, t.Any]:
        found = inventory(nodes, places)["all"]
        return {name: {**found["vars"], **variables} for name, variables in found["hosts"].items()}

    hosts = {**reached([HOST], PLACES), **reached(EVERY_NODE, Places.of_user())}
    groups: dict[str, t.Any] = {
        "longshore_registry_hosts": {"hosts": {HOST.name: {}}},
        "longshore_nodes": {"hosts": {node.name: {} for node in EVERY_NODE}},
    }
    return {"hosts": hosts, "children": groups}


def play(playbook: str, registry: t.Mapping[str, str] = REGISTRY, **variables: t.Any) -> str:
    """Run a playbook of the collection's, for a registry from which whoever likes may pull. Returns what was printed."""
    given = {"longshore_registry": registry, "registry_anonymous_pull": True, **variables}
    done = subprocess.run(
        [
            Path(sys.executable).parent / "ansible-playbook",
            *("-i", PLACES.inventory),
            CHECKOUT / "playbooks" / f"{playbook}.yml",
            *("--extra-vars", json.dumps(given)),
        ],
        cwd=CHECKOUT,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-4000:]
    return done.stdout + done.stderr
