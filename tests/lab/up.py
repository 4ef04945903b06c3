# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring the lab up: quickly nothing where it runs as wanted, else whatever is missing, from the cache where possible."""

from __future__ import annotations

import fcntl
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from . import archives, builds, clients, health, host_engine, host_packages, image_build, machines
from .access import write_atomically
from .command import keep_open, stream
from .debian import HOST_NEEDS
from .engine import inspect
from .errors import LabError
from .node_images import base_image, node_image
from .nodes import BUILDER, NODES, Node
from .plan import PLAYBOOKS, Plan, plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from .node_images import Image
    from .places import Places
    from .progress import Progress


@contextmanager
def only_one(places: Places, progress: Progress) -> Iterator[None]:
    """Hold the lab's lock; wait, and say so, while another command, or what a killed one had run, changes the lab."""
    places.root.mkdir(parents=True, exist_ok=True)
    with places.lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("another command is at work on the lab: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        with keep_open(lock.fileno()):
            yield


def up(asked: Iterable[Node], places: Places, progress: Progress) -> None:
    """The asked nodes, and those that exist already, running as wanted. Raises LabError."""
    host_engine.ensure(places, progress)
    existing = inspect("container", [node.container for node in NODES.values()])
    names = {node.name for node in asked}
    nodes = tuple(node for node in NODES.values() if node.name in names or node.container in existing)
    host_packages.install(_host_programs(_programs(nodes), places), places, progress)
    with ThreadPoolExecutor(max_workers=1) as pool:  # the network's share of the work, while the compiler has the rest
        new = any(node.container not in existing for node in nodes)
        images = pool.submit(_have_images, nodes, places, progress) if new else None
        programs = builds.build(_programs(nodes), places.root, progress)
        wanted = plan(nodes, places, programs, archives.directory(places, programs))
        settled = places.lab / "settled"
        found = health.problems(wanted, places) or _unsettled(settled, wanted)
        if found:
            settled.unlink(missing_ok=True)
            for problem in found if existing else ():
                progress(f"to do: {problem}")
            if images is None:
                _have_images(nodes, places, progress)
            else:
                images.result()
            if any(node.in_cluster for node in nodes):
                archives.have(places, programs)
            _make(wanted, places, programs, progress)
            write_atomically(settled, wanted.digest)
        image_build.save(_images(nodes), places, progress)  # what an interrupted run did not come to
    clients.write(nodes, places, programs)
    progress(f"the lab is up: {', '.join(node.name for node in nodes)}")
    report(nodes, places, progress)


def report(nodes: Iterable[Node], places: Places, progress: Progress) -> None:
    """Say where a user of the lab finds it."""
    progress(f"inventory:  {places.inventory}")
    if any(node.in_cluster for node in nodes):
        progress(f"kubeconfig: {places.kubeconfig}")
    if any(not node.in_cluster for node in nodes):
        progress(f"builder:    {BUILDER}, client certificates in {places.builder}")


def _unsettled(settled: Path, wanted: Plan) -> list[str]:
    """Why the playbook has to run although everything works; nothing if it has not to."""
    if not settled.exists():
        return ["the playbook, as a run before was interrupted or failed"]
    if settled.read_text(encoding="ascii") != wanted.digest:
        return ["the playbook, as it or the set of nodes is another now"]
    return []


def _host_programs(names: list[str], places: Places) -> list[str]:
    """What is used of the host, so that it is installed at once and before several things go on side by side."""
    compilers = builds.tools(names, places.root)
    needed = ["ssh", *(tool for tool in compilers if tool in HOST_NEEDS)]
    if host_packages.allowed():  # elsewhere whoever needs them says so
        needed += ["debootstrap", "update-ca-certificates"]
    return needed


def _programs(nodes: Iterable[Node]) -> list[str]:
    """Names of the Go programs to build: the longest build first."""
    names = dict.fromkeys(name for node in nodes for name in node.programs)
    return [*names, *(archives.PROGRAMS if names else ())]


def _images(nodes: Iterable[Node]) -> list[Image]:
    """The nodes' images and what they are built on, which another kind of node needs."""
    return [base_image(), *(node_image(kind) for kind in dict.fromkeys(node.image for node in nodes))]


def _have_images(nodes: Iterable[Node], places: Places, progress: Progress) -> None:
    image_build.have(_images(nodes), places, progress)
    image_build.save(_images(nodes), places, progress)


def _make(wanted: Plan, places: Places, programs: Mapping[str, Path], progress: Progress) -> None:
    machines.ensure_network()
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda container: machines.settle(container, progress), wanted.containers))
    clients.write(wanted.nodes, places, programs)
    _play(wanted, places, progress)
    found = health.problems(wanted, places)
    if found:
        raise LabError("The lab does not work as it should:\n  " + "\n  ".join(found))


def _play(wanted: Plan, places: Places, progress: Progress) -> None:
    """Run the playbook that takes the nodes from booted to working; its tasks are the progress."""
    environment = {
        "ANSIBLE_CONFIG": str(PLAYBOOKS / "ansible.cfg"),
        "ANSIBLE_STDOUT_CALLBACK": "default",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_LOCAL_TEMP": str(places.lab / "ansible"),
        "PYTHONUNBUFFERED": "1",
    }
    playbook: Path = PLAYBOOKS / "nodes.yml"

    def follow(line: str) -> None:
        title = line.partition("[")[2].rpartition("]")[0]
        if line.startswith("TASK [") and title:
            progress(f"ansible: {title}")

    argv = [sys.executable, "-m", "ansible", "playbook", "-i", str(places.inventory), str(playbook)]
    try:
        stream(argv, follow, environment=environment, directory=PLAYBOOKS, outlives=True)
    except LabError as error:
        logs = health.logs_of_inactive(wanted.nodes)
        raise LabError("\n".join([str(error), *logs])) from error
