# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests and connections, to servers that answer and to such as do not."""

from __future__ import annotations

import contextlib
import socket
import threading
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.trial import probes
from ansible_collections.longshore.delivery.plugins.module_utils.trial.observed import Answer
from tests.http_server import AnsweringServer

HOST = "127.0.0.1"
# nobody listens on port 1, and nobody may
NOBODY = 1


@contextlib.contextmanager
def listening(treat: t.Callable[[socket.socket], object]) -> t.Iterator[int]:
    """A port that treats its first connection so, and keeps it until the end of the block; the port."""
    over = threading.Event()

    def serve() -> None:
        connection, _address = server.accept()
        with connection:
            treat(connection)
            over.wait(10)

    with socket.create_server((HOST, 0)) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        over.set()
        thread.join(10)


def test_a_get_is_one_answer_with_its_type_and_the_headers_that_were_wanted() -> None:
    reply = (302, {"Content-Type": "text/plain", "Location": "/elsewhere"}, "Grüße".encode())
    with AnsweringServer(lambda request: reply) as server:
        answer = probes.get(HOST, server.port, "/here", {"X-Team": "shop"}, "port 8080")
    assert (answer.status, answer.text, answer.content_type, answer.problem) == (302, "Grüße", "text/plain", "")
    [request] = server.requests
    assert (request.method, request.path, request.headers["x-team"]) == ("GET", "/here", "shop")


def test_what_is_no_text_is_shown_all_the_same() -> None:
    with AnsweringServer(lambda request: (200, {}, b"\xff\xfe")) as server:
        assert probes.get(HOST, server.port, "/", {}, "port 8080").text == "\ufffd\ufffd"


def test_a_get_of_nobody_and_of_no_http_names_the_port_of_the_container() -> None:
    refused = probes.get(HOST, NOBODY, "/x", {}, "port 8080")
    assert refused.problem == "port 8080: GET /x: Connection refused"
    with listening(lambda connection: connection.sendall(b"SSH-2.0-x\r\n")) as port:
        assert probes.get(HOST, port, "/x", {}, "port 8080").problem.startswith("port 8080: GET /x: SSH-2.0-x")


def test_a_get_without_an_answer_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "REQUEST_SECONDS", 0.2)
    with listening(lambda connection: None) as port:
        assert "no answer to GET /x within" in probes.get(HOST, port, "/x", {}, "port 8080").problem


def trickle(*pieces: bytes) -> t.Callable[[socket.socket], None]:
    """Sends some pieces, then one byte after another, each soon enough for a timeout of its own, as long as it is heard."""

    def treat(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(b"x")
                threading.Event().wait(0.02)

    return treat


@pytest.mark.parametrize(
    "begun",
    [b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"],
)
def test_of_an_answer_that_trickles_without_an_end_what_came_in_time_counts(
    monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(probes, "REQUEST_SECONDS", 0.5)
    with listening(trickle(begun, b"data: 1\n")) as port:
        answer = ended(lambda: probes.get(HOST, port, "/sse", {}, "port 8080"))
    assert (answer.status, answer.text[:9], answer.problem) == (200, "data: 1\nx", "")
    assert answer.endless.startswith("the answer to GET /sse has no end within")


@pytest.mark.parametrize("begun", [b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nX-Slow: "])
def test_headers_that_trickle_without_an_end_are_no_answer(monkeypatch: pytest.MonkeyPatch, begun: bytes) -> None:
    monkeypatch.setattr(probes, "REQUEST_SECONDS", 0.5)
    with listening(trickle(begun)) as port:
        answer = ended(lambda: probes.get(HOST, port, "/x", {}, "port 8080"))
    assert "no answer to GET /x within" in answer.problem


def test_an_answer_ends_where_its_length_says_though_the_connection_stays_and_a_large_one_after_a_mebibyte() -> None:
    kept = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    with listening(lambda connection: connection.sendall(kept)) as port:
        answer = probes.get(HOST, port, "/", {}, "port 8080")
    assert (answer.text, answer.endless) == ("ok", "")
    with AnsweringServer(lambda request: (200, {}, b"x" * (probes.MOST_BYTES + 1))) as server:
        answer = probes.get(HOST, server.port, "/", {}, "port 8080")
    assert (len(answer.text), answer.endless) == (probes.MOST_BYTES, "")


def ended(ask: t.Callable[[], Answer]) -> Answer:
    """An answer that has to come within seconds."""
    found: list[Answer] = []
    thread = threading.Thread(target=lambda: found.append(ask()), daemon=True)
    thread.start()
    thread.join(30)
    [answer] = found
    return answer


def test_a_connection_counts_when_it_lasts_or_says_something() -> None:
    with listening(lambda connection: None) as port:
        assert probes.connect(HOST, port, "port 1").problem == ""
    with listening(lambda connection: connection.sendall(b"hello")) as port:
        assert probes.connect(HOST, port, "port 1").problem == ""


def test_a_connection_that_is_closed_at_once_is_none() -> None:
    """As Docker's proxy takes one for a port on which nobody listens."""
    with listening(lambda connection: connection.shutdown(socket.SHUT_WR)) as port:
        assert probes.connect(HOST, port, "port 1").problem == "port 1: the connection is closed at once"
    assert probes.connect(HOST, NOBODY, "port 1").problem == "port 1: Connection refused"


def test_it_is_asked_until_it_is_enough_or_the_time_is_over() -> None:
    asked: list[int] = []

    def ask() -> int:
        asked.append(1)
        return len(asked)

    assert probes.await_(ask, lambda found: found == 3, 60) == 3
    assert probes.await_(ask, lambda found: False, 0) == 4
    assert probes.await_(ask, lambda found: False, -1) == 5
