# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The example application as real processes: started, waited for by condition, always ended."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SHOP = Path(__file__).resolve().parents[3] / "examples" / "shop"
WEB = SHOP / "web"
PASSWORD = "correct horse battery staple"
PATIENCE = 15.0  # seconds; a condition that is not met by then will not be


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition: Callable[[], Any], what: str) -> Any:
    """Return the condition's first true value; fail with `what` when it never comes."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    pytest.fail(f"{what} did not happen within {PATIENCE:g} s")


class Program:
    """A running program whose output goes to a file."""

    def __init__(self, command: list[str], environment: dict[str, str], directory: Path, output: Path) -> None:
        self.output = output
        with open(output, "wb") as sink:
            self.process = subprocess.Popen(
                command,
                env={
                    "PATH": os.environ["PATH"],
                    "PYTHONUNBUFFERED": "1",
                    "PYTHONDONTWRITEBYTECODE": "1",
                    **environment,
                },
                cwd=directory,
                stdout=sink,
                stderr=subprocess.STDOUT,
            )

    def logs(self) -> list[dict[str, Any]]:
        """Every line of the output; all of them have to be JSON objects."""
        text = self.output.read_text(encoding="utf-8")
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def wait_for_log(self, message: str) -> dict[str, Any]:
        def found() -> dict[str, Any] | None:
            return next((line for line in self.logs() if line.get("message", "").startswith(message)), None)

        line: dict[str, Any] = wait_until(found, f"the log line {message!r}")
        return line

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        return self.process.wait(PATIENCE)


class Web(Program):
    """The application on a port of its own."""

    def __init__(self, output: Path, environment: dict[str, str]) -> None:
        self.port = int(environment["PORT"])
        super().__init__([sys.executable, "-m", "shop", "serve"], environment, WEB, output)

    def get(self, path: str, method: str = "GET", headers: dict[str, str] | None = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()
