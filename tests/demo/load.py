# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests to the Service, sent from a node of the cluster while something else goes on."""

from __future__ import annotations

import json
import subprocess
import typing as t
import uuid
from dataclasses import dataclass
from pathlib import Path

from .errors import DemoError
from .settings import Settings

SCRIPT = Path(__file__).with_name("load_script.py")
LIMIT_SECONDS = 300


@dataclass(frozen=True)
class Count:
    """Answers by greeting, failed requests by reason."""

    answers: dict[str, int]
    failures: dict[str, int]

    @property
    def sent(self) -> int:
        return sum(self.answers.values()) + sum(self.failures.values())


class Load:
    """A context: requests flow from HOST to URL while its body runs; `count` is there afterwards."""

    count: Count

    def __init__(self, settings: Settings, host: str, url: str) -> None:
        self._settings = settings
        self._host = host
        self._url = url
        self._stop_file = f"/tmp/longshore-demo-{uuid.uuid4().hex}"

    def _ansible(self, module: str, arguments: str) -> subprocess.Popen[str]:
        command = ["ansible", self._host]
        for inventory in self._settings.inventories:
            command += ["-i", str(inventory)]
        environment = {
            **self._settings.environment,
            "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1",
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
            "ANSIBLE_CALLBACKS_ENABLED": "ansible.posix.json",  # and none of a user's that writes between
            "ANSIBLE_FORCE_COLOR": "0",
        }
        return subprocess.Popen(
            [*command, "-m", module, "-a", arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Load:
        command = f"{SCRIPT} {self._url} {self._stop_file} {LIMIT_SECONDS}"
        self._process = self._ansible("ansible.builtin.script", json.dumps({"cmd": command, "executable": "python3"}))
        return self

    def __exit__(self, *exception: t.Any) -> None:
        stopping = self._ansible("ansible.builtin.file", f"path={self._stop_file} state=touch mode=0600")
        stopping.communicate()
        stdout, stderr = self._process.communicate()
        if exception[0] is None:
            self.count = self._read(stdout, stderr)

    def _read(self, stdout: str, stderr: str) -> Count:
        try:
            result = json.loads(stdout)["plays"][0]["tasks"][0]["hosts"][self._host]
            counted = json.loads(result["stdout"])
        except (ValueError, LookupError) as error:
            raise DemoError(
                f"the requests from {self._host} to {self._url} were not counted: {stdout}{stderr}"
            ) from error
        return Count(counted["answers"], counted["failures"])
