# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Show the lab: each node, its container, runtime, services and memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import api, host_engine
from .engine import docker, inspect
from .errors import LabError
from .health import inactive_services
from .node_files import SCRIPTS
from .nodes import NODES, Node

if TYPE_CHECKING:
    from .places import Places

MEMORY_LIMIT = 2.5 * 2**30  # bytes that all nodes together may use


def status(places: Places) -> list[str]:
    """Lines of a table, one for each node that exists."""
    if not host_engine.answers():
        return ["No Docker engine answers: the lab is down."]
    found = inspect("container", [node.container for node in NODES.values()])
    if not found:
        return ["The lab is down."]
    running = [name for name, state in found.items() if _running(state)]
    nodes: dict[str, dict[str, Any]] = {}
    trouble = []
    if any(node.in_cluster and node.container in running for node in NODES.values()):
        try:
            nodes = api.nodes(places)
        except LabError as error:
            trouble.append(str(error))
    lines = [f"{'node':6}{'address':14}{'container':11}{'cluster':11}{'runtime':26}{'memory':12}services"]
    for node in NODES.values():
        if node.container not in found:
            continue
        member = nodes.get(node.name)
        ready = (
            "-" if not node.in_cluster else "unknown" if member is None else "Ready" if member["ready"] else "NotReady"
        )
        inactive = inactive_services(node) if node.container in running else []
        services = "; ".join(inactive) or ("all active" if node.container in running else "-")
        used = f"{memory(node) / 2**20:.0f} MiB" if node.container in running else "-"
        lines.append(
            f"{node.name:6}{node.address:14}{found[node.container]['State']['Status']:11}{ready:11}"
            f"{(member or {}).get('runtime', '-'):26}{used:12}{services}"
        )
    return [*lines, *trouble]


def memory(node: Node) -> int:
    """Bytes that a running node and all that runs in it use. Raises LabError if it cannot say."""
    return int(docker("exec", node.container, f"/{SCRIPTS}own-memory").stdout)


def total_memory() -> int:
    """Bytes that all running nodes use."""
    found = inspect("container", [node.container for node in NODES.values()])
    return sum(memory(node) for node in NODES.values() if _running(found.get(node.container)))


def _running(state: dict[str, Any] | None) -> bool:
    return state is not None and state["State"]["Status"] == "running"
