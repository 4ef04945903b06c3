# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ways to an engine on this machine that a module may be given, each to a stand-in for the engine."""

from __future__ import annotations

import contextlib
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.image import local_engine
from ansible_collections.longshore.delivery.plugins.module_utils.node.discovery import Seen
from tests.http_server import AnsweringServer, Reply, Request

WAYS = ("socket", "tcp", "podman")


@contextlib.contextmanager
def way(
    kind: str, answer: t.Callable[[Request], Reply], directory: Path, monkeypatch: pytest.MonkeyPatch
) -> t.Iterator[dict[str, str]]:
    """The options by which the module takes this way; Podman's program itself the test has to stand in for."""
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    with contextlib.ExitStack() as opened:
        if kind == "podman":
            monkeypatch.setattr(local_engine, "look", lambda: Seen(programs={"podman": "/usr/bin/podman"}))
            options = {"engine": "podman"}
        else:
            address = directory / "docker.sock" if kind == "socket" else "127.0.0.1"
            server = opened.enter_context(AnsweringServer(answer, address=address))
            options = {"docker_host": f"{'unix' if kind == 'socket' else 'tcp'}://{server.endpoint}"}
        yield options
