# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host for the registry alone: made like the lab's Docker host, for these tests, and taken away after them.

So the lab's own registry goes on serving, and the role is tried on a host that never had a registry.
"""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import socket
import typing as t

from tests.integration.asking import eventually
from tests.lab import machines
from tests.lab.access import close_connections, write_inventory
from tests.lab.engine import inspect
from tests.lab.health import inactive_services
from tests.lab.nodes import DOCK
from tests.lab.places import Places
from tests.lab.plan import plan
from tests.lab.progress import Progress

HOST = dataclasses.replace(DOCK, name="registry", address="10.90.0.30")
PLACES = Places(Places.of_user().root / "registry-host")
BOOT_SECONDS = 90.0


@contextlib.contextmanager
def running() -> t.Iterator[None]:
    """A new host runs while the body does."""
    (container,) = plan([HOST], PLACES, {}, PLACES.lab).containers
    left = inspect("container", [HOST.container]).get(HOST.container)
    if left:
        machines.state(container, left)  # refuses one that is somebody else's
        machines.remove(HOST.container)
    try:
        machines.settle(container, Progress())
        write_inventory([HOST], PLACES)
        eventually(lambda: answers() and not inactive_services(HOST), BOOT_SECONDS)
        yield
    finally:
        close_connections(PLACES)
        machines.remove(HOST.container)
        shutil.rmtree(PLACES.root)


def answers() -> bool:
    """The host can be reached by SSH."""
    with contextlib.suppress(OSError), socket.create_connection((HOST.address, 22), 1) as connection:
        return connection.recv(4) == b"SSH-"
    return False
