# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's end, with applications slower and larger than the shop's."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from shop.draining import DrainingServer
from shop_processes import PATIENCE, free_port

LARGE = b"x" * 8_000_000  # more than the kernel's buffers hold


class Running:
    """A server in a thread, and the number of unanswered requests that `run` returned."""

    def __init__(self, application: Any, drain_seconds: float = PATIENCE) -> None:
        self.port = free_port()
        self.server = DrainingServer(application, self.port, threads=2)
        self.drain_seconds = drain_seconds
        self.stopping = threading.Event()
        self.unanswered: int | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        self.unanswered = self.server.run(self.drain_seconds, self.stopping.set)

    def start(self) -> Running:
        self._thread.start()
        return self

    def request(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n")
        return connection

    def stop(self) -> None:
        self.server.stop()
        assert self.stopping.wait(PATIENCE)

    def join(self) -> int | None:
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        return self.unanswered


class Slow:
    """Answers LARGE, but not before it is allowed to."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.allowed = threading.Event()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        self.entered.set()
        assert self.allowed.wait(PATIENCE)
        start_response("200 OK", [("Content-Length", str(len(LARGE)))])
        return [LARGE]


@pytest.fixture
def slow() -> Iterator[Slow]:
    application = Slow()
    yield application
    application.allowed.set()


def everything(connection: socket.socket) -> bytes:
    parts = []
    while part := connection.recv(1 << 20):
        parts.append(part)
    connection.close()
    return b"".join(parts)


def test_an_answer_begun_after_the_stop_arrives_whole(slow: Slow) -> None:
    running = Running(slow).start()
    connection = running.request()
    assert slow.entered.wait(PATIENCE)
    running.stop()
    slow.allowed.set()
    head, _blank, body = everything(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert b"Connection: close" in head
    assert body == LARGE
    assert running.join() == 0


def test_an_answer_half_read_at_the_stop_arrives_whole(slow: Slow) -> None:
    slow.allowed.set()
    running = Running(slow).start()
    connection = running.request()
    first = connection.recv(1000)
    running.stop()
    assert (first + everything(connection)).endswith(b"\r\n\r\n" + LARGE)
    assert running.join() == 0


def test_a_connection_the_kernel_accepted_before_the_stop_is_answered(slow: Slow) -> None:
    slow.allowed.set()
    running = Running(slow)
    connection = running.request()  # nobody has called accept() yet
    running.server.stop()
    running.start()
    assert everything(connection).endswith(LARGE)
    assert running.join() == 0


def test_a_quiet_connection_does_not_hold_it_up(slow: Slow) -> None:
    running = Running(slow).start()
    connection = socket.create_connection(("127.0.0.1", running.port), PATIENCE)
    began = time.monotonic()
    running.stop()
    assert running.join() == 0
    assert time.monotonic() - began < PATIENCE / 2
    assert connection.recv(1) == b""
    connection.close()


def test_what_outlasts_the_drain_is_counted(slow: Slow) -> None:
    running = Running(slow, drain_seconds=0.2).start()
    connection = running.request()
    assert slow.entered.wait(PATIENCE)
    running.stop()
    assert running.join() == 1
    connection.close()
