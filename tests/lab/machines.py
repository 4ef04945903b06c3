# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring the wanted containers about: the network, then each node that is missing, stopped or made of something else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .containers import WANTED_LABEL, Container
from .engine import docker, inspect, labelled
from .errors import LabError
from .node_files import archive
from .nodes import LABEL, NETWORK, SUBNET

if TYPE_CHECKING:
    from .progress import Progress


def ensure_network() -> None:
    """The lab's network. Raises LabError where its addresses are taken."""
    found = inspect("network", [NETWORK])
    if found:
        subnets = [item.get("Subnet") for item in found[NETWORK]["IPAM"]["Config"] or []]
        if subnets != [SUBNET]:
            raise LabError(
                f"There is a Docker network {NETWORK} with {', '.join(map(str, subnets))} instead of {SUBNET}; "
                f"it is not the lab's. Remove it (`docker network rm {NETWORK}`) and run this again."
            )
        return
    made = docker("network", "create", "--subnet", SUBNET, "--label", LABEL, NETWORK, check=False)
    if made.rc != 0:
        raise LabError(
            f"The lab needs the addresses {SUBNET} for its Docker network, and the engine says: {made.stderr.strip()}. "
            "Something on this host uses them already (`ip route`, `docker network ls`)."
        )


def state(container: Container, found: dict[str, Any] | None) -> str:
    """What to do about a container the engine has or has not: "make", "remake", "start" or "" (nothing)."""
    if found is None:
        return "make"
    labels = found["Config"]["Labels"] or {}
    if LABEL.partition("=")[0] not in labels:
        name = container.node.container
        raise LabError(f"There is a container {name} that is not the lab's. Rename or remove it, and run this again.")
    status = found["State"]["Status"]
    # "created" is what an interruption before the first start leaves: its files may be missing.
    if labels.get(WANTED_LABEL) != container.wanted or status in {"created", "dead", "removing"}:
        return "remake"
    return "" if status == "running" else "start"


def settle(container: Container, progress: Progress) -> bool:
    """Have the container running as wanted; whether anything had to be done."""
    node = container.node
    action = state(container, inspect("container", [node.container]).get(node.container))
    if not action:
        return False
    if action == "remake":
        progress(f"{node.name}: removing the container that is not as wanted")
        remove(node.container)
    if action != "start":
        docker("create", *container.flags, "--label", f"{WANTED_LABEL}={container.wanted}", container.image)
        docker("cp", "-", f"{node.container}:/", data=archive(container.files))
    docker("start", node.container)
    progress(f"{node.name}: container {node.container} started at {node.address}")
    return True


def remove(name: str) -> None:
    """Remove a container with its anonymous volumes."""
    docker("rm", "--force", "--volumes", name)


def remove_all(progress: Progress) -> None:
    """Remove every container, volume and network that is the lab's."""
    for name in labelled("container", LABEL):
        remove(name)
        progress(f"removed container {name}")
    for name in labelled("volume", LABEL):
        docker("volume", "rm", "--force", name)
        progress(f"removed volume {name}")
    for name in labelled("network", LABEL):
        for guest in inspect("network", [name])[name].get("Containers") or {}:
            docker("network", "disconnect", "--force", name, guest)
        docker("network", "rm", name)
        progress(f"removed network {name}")
