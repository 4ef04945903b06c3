# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the lab is as wanted and works, asked of the engine, the nodes and the API server within a second or two."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from . import api
from .containers import WANTED_LABEL
from .engine import docker, inspect
from .errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .nodes import Node
    from .places import Places
    from .plan import Plan


def problems(plan: Plan, places: Places) -> list[str]:
    """What is not as wanted, one sentence each; none means that the lab is up."""
    found = inspect("container", [node.container for node in plan.nodes])
    wrong = []
    running = []
    for container in plan.containers:
        node = container.node
        state = found.get(node.container)
        if state is None:
            wrong.append(f"{node.name}: there is no container")
        elif (state["Config"]["Labels"] or {}).get(WANTED_LABEL) != container.wanted:
            wrong.append(f"{node.name}: the container is made of something else than wanted")
        elif state["State"]["Status"] != "running":
            wrong.append(f"{node.name}: the container is {state['State']['Status']}")
        else:
            running.append(node)
    with ThreadPoolExecutor() as pool:
        cluster = pool.submit(_cluster_problems, plan, places)
        for inactive in pool.map(inactive_services, running):
            wrong += inactive
        wrong += cluster.result()
    return wrong


def inactive_services(node: Node) -> list[str]:
    """Services of a node that do not run."""
    answer = docker("exec", node.container, "systemctl", "is-active", "ssh", *node.services, check=False)
    states = answer.stdout.split()
    if len(states) != len(node.services) + 1:
        return [f"{node.name}: systemd does not answer: {answer.stderr.strip()}"]
    return [
        f"{node.name}: {service} is {state}"
        for service, state in zip(("ssh", *node.services), states)
        if state != "active"
    ]


def logs_of_inactive(nodes: Iterable[Node], lines: int = 8) -> list[str]:
    """The last words of services that do not run."""
    words = []
    for node in nodes:
        for problem in inactive_services(node):
            service = problem.partition(": ")[2].split()[0]
            log = docker("exec", node.container, "journalctl", "-o", "cat", f"-n{lines}", "-u", service, check=False)
            words.append(f"{problem}; its log ends:\n{log.stdout.rstrip()}")
    return words


def _cluster_problems(plan: Plan, places: Places) -> list[str]:
    wanted = [node for node in plan.nodes if node.in_cluster]
    if not wanted:
        return []
    try:
        api.get(places, "/readyz")
        nodes = api.nodes(places)
    except LabError as error:
        return [str(error)]
    wrong = []
    for node in wanted:
        state = nodes.get(node.name)
        if state is None:
            wrong.append(f"{node.name}: is not registered in the cluster")
        elif not state["ready"]:
            wrong.append(f"{node.name}: is not Ready")
        elif not state["runtime"].startswith(node.runtime):
            wrong.append(f"{node.name}: runs {state['runtime']} instead of {node.runtime}x")
    return wrong
