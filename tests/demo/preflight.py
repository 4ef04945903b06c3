# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must be so before anything is delivered; what is not is told in one sentence."""

from __future__ import annotations

import subprocess

import yaml

from .cluster import Cluster
from .errors import DemoError
from .inventory import NODES, Inventory
from .settings import EXAMPLE, Settings

REGISTRY_HOSTS = "longshore_registry_hosts"


def check(settings: Settings) -> None:
    """Look at the user's own inventory, cluster and machine. Raises DemoError for the first thing that is missing."""
    inventory = Inventory.of(settings)
    check_nodes(inventory)
    check_registry(inventory)
    check_builder(settings)
    host_in_cluster(inventory, Cluster(settings))


def check_nodes(inventory: Inventory) -> None:
    if not inventory.group(NODES):
        raise DemoError(
            f"the group {NODES} of INVENTORY has no host: put those in whose container runtimes are to hold the images"
        )


def check_registry(inventory: Inventory) -> None:
    """The example names a registry that does not exist; every host concerned must know another."""
    variables = EXAMPLE / "inventory" / "group_vars" / "all" / "registry.yml"
    example = yaml.safe_load(variables.read_text())["longshore_registry"]["endpoint"]
    concerned = ["localhost", *inventory.group(NODES), *inventory.group(REGISTRY_HOSTS)]
    left = [host for host in dict.fromkeys(concerned) if _endpoint(inventory, host) in (None, example)]
    if left:
        raise DemoError(
            f"longshore_registry.endpoint is not set for {', '.join(left)} (the example's {example} is no registry): "
            "set longshore_registry in group_vars/all.yml beside INVENTORY, where it also holds for localhost"
        )


def _endpoint(inventory: Inventory, host: str) -> object:
    registry = inventory.variables.get(host, {}).get("longshore_registry")
    # a template is the user's own, and known only to the playbook
    return registry.get("endpoint") if isinstance(registry, dict) else registry


def check_builder(settings: Settings) -> None:
    """The docker command and its plugin; debootstrap is told of by the script that makes the base image's files."""
    try:
        found = subprocess.run(
            ["docker", "buildx", "version"], env=settings.environment, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise DemoError(
            f"images are built with docker and its plugin buildx, and there is no docker: {error}"
        ) from error
    if found.returncode:
        said = next(iter(found.stderr.splitlines()), f"status {found.returncode}")
        raise DemoError(f"images are built with docker and its plugin buildx, and docker has no buildx here: {said}")


def host_in_cluster(inventory: Inventory, cluster: Cluster) -> str:
    """A host of the inventory that is a node of the cluster, from which its Services can be reached."""
    nodes = cluster.nodes()
    names = [name for name in nodes if name in inventory.hosts]
    if not names:
        raise DemoError(
            f"no node of the cluster ({', '.join(nodes)}) is a host of the inventory by the same name: "
            "requests are to be sent from one"
        )
    return names[0]
