# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""waitress, with an end that loses no request.

waitress 3.0 alone stops at a signal without sending what its threads have yet to say. Here the loop goes on until every
request that had begun is answered; connections that only wait for a next request are closed, and clients are told so.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from waitress import create_server, wasyncore
from waitress.channel import HTTPChannel
from waitress.task import WSGITask

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

# A connection without a request is closed once it has been quiet for so long: the first bytes may be under way.
QUIET_SECONDS = 0.2


class DrainingServer:
    """A WSGI server on all addresses of `port`: `run` serves until `stop`, which a signal handler may call."""

    def __init__(self, application: WSGIApplication, port: int, threads: int) -> None:
        self.draining = False
        self._sockets: dict[int, Any] = {}
        self._server = create_server(
            application, map=self._sockets, host="0.0.0.0", port=port, threads=threads, ident=None
        )
        self._server.channel_class = _channel_class(self)

    def stop(self) -> None:
        """Begin the end: no new connection, answer what is under way, then let `run` return."""
        self.draining = True
        self._server.pull_trigger()

    def run(self, drain_seconds: float, on_stop: Callable[[], None]) -> int:
        """Serve; after `stop` close the port, call `on_stop`, drain for at most `drain_seconds`; return the requests left
        unanswered."""
        while not self.draining:
            wasyncore.loop(timeout=1.0, use_poll=True, map=self._sockets, count=1)
        self._stop_listening()
        on_stop()
        deadline = time.monotonic() + drain_seconds
        while self._server.active_channels and time.monotonic() < deadline:
            for channel in list(self._server.active_channels.values()):
                if not _busy(channel) and time.time() - channel.last_activity >= QUIET_SECONDS:
                    channel.will_close = True
            wasyncore.loop(timeout=0.05, use_poll=True, map=self._sockets, count=1)
        return sum(_busy(channel) for channel in self._server.active_channels.values())

    def _stop_listening(self) -> None:
        # What the kernel has accepted for us already would be reset by closing the socket: take it in first.
        while select.select([self._server.socket], [], [], 0)[0]:
            self._server.handle_accept()
        wasyncore.dispatcher.close(self._server)


def _busy(channel: HTTPChannel) -> bool:
    return bool(channel.requests or channel.request is not None or channel.total_outbufs_len)


def _channel_class(server: DrainingServer) -> type[HTTPChannel]:
    class Task(WSGITask):
        def build_response_header(self) -> bytes:
            if server.draining:
                self.set_close_on_finish()
            header: bytes = super().build_response_header()
            return header

    class Channel(HTTPChannel):
        task_class = Task

    return Channel
