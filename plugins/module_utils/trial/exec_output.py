# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What a command writes that Docker's engine runs: read while it comes, within a time and a size."""

from __future__ import annotations

import contextlib
import os
import socket
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.trial.engine import MOST_READ
from ansible_collections.longshore.delivery.plugins.module_utils.trial.probes import seconds_left

# of what both streams share: which of them, three times nothing, and the length of what follows (API, "ContainerAttach")
_HEADER = 8
_CHUNK = 64 * 1024


class BrokenOutput(Exception):
    """What the engine sends is no frame."""


@contextlib.contextmanager
def connection_of(opened: t.Any) -> t.Iterator[socket.socket]:
    """:param opened: by C(exec_start) of the docker package with C(socket=True), of many kinds; it is closed in the end."""
    # of TLS it is the connection, else a reader of it without a timeout of its own
    connection = opened if hasattr(opened, "settimeout") else socket.socket(fileno=os.dup(opened.fileno()))
    try:
        yield connection
    finally:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()
        opened.close()


def read_output(connection: socket.socket, deadline: float) -> bytes:
    """All that comes until the end, of which C(MOST_READ) is kept; both streams in the order in which they came.

    :param deadline: of the monotonic clock.
    :raises socket.timeout: there was no end until then.
    :raises BrokenOutput: it cannot be read.
    """
    kept = b""
    while True:
        header = b"".join(_received(connection, _HEADER, deadline))
        if len(header) < _HEADER:
            return kept
        if header[0] > 2 or any(header[1:4]):
            raise BrokenOutput("the engine's stream of its output cannot be read")
        for part in _received(connection, int.from_bytes(header[4:], "big"), deadline):
            kept += part[: MOST_READ - len(kept)]


def _received(connection: socket.socket, size: int, deadline: float) -> t.Iterator[bytes]:
    """So many bytes as they come, or fewer where that is all."""
    while size:
        connection.settimeout(seconds_left(deadline))
        part = connection.recv(min(size, _CHUNK))
        if not part:
            return
        size -= len(part)
        yield part
