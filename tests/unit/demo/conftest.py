# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""An API server of a few fixed answers, for the real client to read."""

from __future__ import annotations

import http.server
import json
import threading
import typing as t
from pathlib import Path

import pytest

KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{name: here, cluster: {server: "%s"}}]
users: [{name: me, user: {}}]
contexts: [{name: here, context: {cluster: here, user: me}}]
current-context: here
"""


class ApiServer:
    """`answers` by path with query: an object to send, or an HTTP status to refuse with."""

    def __init__(self, kubeconfig: Path) -> None:
        self.answers: dict[str, dict[str, t.Any] | int] = {}
        self.kubeconfig = kubeconfig
        answers = self.answers

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer = answers.get(self.path, 404)
                status, document = (answer, {"kind": "Status"}) if isinstance(answer, int) else (200, answer)
                body = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *rest: t.Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        kubeconfig.write_text(KUBECONFIG % f"http://127.0.0.1:{self.server.server_address[1]}")


@pytest.fixture
def api(tmp_path: Path) -> t.Iterator[ApiServer]:
    api = ApiServer(tmp_path / "kubeconfig")
    thread = threading.Thread(target=api.server.serve_forever)
    thread.start()
    yield api
    api.server.shutdown()
    thread.join()
    api.server.server_close()
