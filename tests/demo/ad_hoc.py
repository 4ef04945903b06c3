# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One module on some hosts of the inventories, without a playbook."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import typing as t
from pathlib import Path

from .errors import DemoError
from .settings import Settings

RESULT = re.compile(r"^(?P<host>\S+) \| [A-Z!]+ => (?=\{)", re.M)


class AdHoc:
    """A module that runs on the hosts of a pattern from now on; `results` waits for it."""

    def __init__(
        self, settings: Settings, pattern: str, module: str, arguments: dict[str, str], become: bool = False
    ) -> None:
        command = ["ansible", pattern]
        for inventory in settings.inventories:
            command += ["-i", str(inventory)]
        command += ["-m", module, "-a", json.dumps(arguments)]
        if become:
            command.append("--become")
        environment = {
            **settings.environment,
            "ANSIBLE_LOAD_CALLBACK_PLUGINS": "0",  # no callback of a user's that writes in another way or between
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
            "ANSIBLE_FORCE_COLOR": "0",
        }
        self._command = command
        self._process = subprocess.Popen(
            command,
            cwd=settings.workspace,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def results(self) -> dict[str, dict[str, t.Any]]:
        """What the module returned, by host, failures included. Raises DemoError where Ansible itself could not run it."""
        stdout, stderr = self._process.communicate()
        decode = json.JSONDecoder().raw_decode
        try:
            found = {match["host"]: decode(stdout, match.end())[0] for match in RESULT.finditer(stdout)}
        except ValueError as error:
            raise DemoError(f"Ansible's answer to {shlex.join(self._command)} is not understood: {stdout}") from error
        if not found:
            raise DemoError(f"Ansible did not run {shlex.join(self._command)}: {stdout}{stderr}")
        return found


def script(settings: Settings, pattern: str, file: Path, *arguments: str, become: bool = False) -> AdHoc:
    """A Python script of this directory, run on the hosts by their own Python."""
    command = shlex.join([str(file), *arguments])
    return AdHoc(settings, pattern, "ansible.builtin.script", {"cmd": command, "executable": "python3"}, become)
