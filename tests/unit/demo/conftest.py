# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""An API server of a few fixed answers, for the real client to read."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from tests.http_server import AnsweringServer, Reply, Request, json_reply
from tests.kubeconfig import kubeconfig


class ApiServer(AnsweringServer):
    """`answers` by path with query: an object to send, or an HTTP status to refuse with."""

    def __init__(self, directory: Path) -> None:
        self.answers: dict[str, dict[str, t.Any] | int] = {}
        super().__init__(self._answer)
        self.kubeconfig = Path(kubeconfig(directory, f"http://{self.endpoint}"))

    def _answer(self, request: Request) -> Reply:
        answer = self.answers.get(request.path, 404)
        return json_reply({"kind": "Status"}, answer) if isinstance(answer, int) else json_reply(answer)


@pytest.fixture
def api(tmp_path: Path) -> t.Iterator[ApiServer]:
    with ApiServer(tmp_path) as api:
        yield api
