# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts beside the lab's, made like its Docker host for some tests, and taken away after them."""

from __future__ import annotations

import concurrent.futures
import contextlib
import shutil
import socket
import typing as t

from tests.lab import machines
from tests.lab.access import close_connections
from tests.lab.containers import Container
from tests.lab.engine import inspect
from tests.lab.health import inactive_services
from tests.lab.nodes import Node
from tests.lab.places import Places
from tests.lab.plan import plan
from tests.lab.progress import Progress

from .asking import eventually

BOOT_SECONDS = 90.0


class DockerHosts(t.NamedTuple):
    """These hosts, and where the keys and the inventory for them are."""

    hosts: t.Sequence[Node]
    places: Places

    def make(self, *hosts: Node) -> None:
        """Have these run, as new ones or as they were when they were stopped."""
        containers = {container.node.name: container for container in self._containers()}

        def settle(host: Node) -> None:
            machines.settle(containers[host.name], Progress())
            eventually(lambda: _answers(host) and not inactive_services(host), BOOT_SECONDS)

        with concurrent.futures.ThreadPoolExecutor() as several:
            list(several.map(settle, hosts))

    def remove(self, *hosts: Node) -> None:
        close_connections(self.places)
        for host in hosts:
            machines.remove(host.container)

    @contextlib.contextmanager
    def running(self) -> t.Iterator[None]:
        """They run, new, while the body does."""
        left = inspect("container", [host.container for host in self.hosts])
        for container in self._containers():
            if left.get(container.node.container):
                machines.state(container, left[container.node.container])  # refuses one that is somebody else's
                machines.remove(container.node.container)
        try:
            self.make(*self.hosts)
            yield
        finally:
            self.remove(*self.hosts)
            shutil.rmtree(self.places.root)

    def _containers(self) -> t.Sequence[Container]:
        return plan(self.hosts, self.places, {}, self.places.lab).containers


def _answers(host: Node) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((host.address, 22), 1) as connection:
        return connection.recv(4) == b"SSH-"
    return False
