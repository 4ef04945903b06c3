# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests are counted until they are stopped; such as have ended before that prove nothing of the rest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.demo.errors import DemoError
from tests.demo.load import SCRIPT, Count
from tests.http_server import AnsweringServer, Reply, Request, json_reply

ENOUGH = 3


def told(url: str, stop_file: Path, limit: float) -> str:
    command = [sys.executable, str(SCRIPT), url, str(stop_file), str(limit)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def test_requests_that_are_stopped_are_counted(tmp_path: Path) -> None:
    stop_file = tmp_path / "stop"

    def greet(_request: Request) -> Reply:
        """Well, badly, and with the end."""
        asked = len(server.requests)
        if asked == ENOUGH:
            stop_file.touch()
        return json_reply({"greeting": "hello"}, 503 if asked == 2 else 200)

    with AnsweringServer(greet) as server:
        count = Count.of(told(f"http://{server.endpoint}/", stop_file, 60))
    assert count == Count({"hello": 2}, {"HTTP 503": 1})
    assert count.sent == ENOUGH
    assert not stop_file.exists()


def test_requests_that_ended_by_themselves_are_no_proof(tmp_path: Path) -> None:
    with AnsweringServer(lambda _request: json_reply({"greeting": "hello"})) as server:
        answer = told(f"http://{server.endpoint}/", tmp_path / "stop", 0.2)
    with pytest.raises(DemoError, match="ended at their limit"):
        Count.of(answer)


def test_one_request_is_sent_even_where_the_end_came_first(tmp_path: Path) -> None:
    """As where what the requests accompany is over before the node's Python has started."""
    stop_file = tmp_path / "stop"
    stop_file.touch()
    with AnsweringServer(lambda _request: json_reply({"greeting": "hello"})) as server:
        count = Count.of(told(f"http://{server.endpoint}/", stop_file, 60))
    assert count == Count({"hello": 1}, {})
