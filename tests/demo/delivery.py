# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One ansible-playbook of the collection, shown as it runs and read when it is over."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import typing as t
from dataclasses import dataclass

from .settings import Settings

RECAP = re.compile(
    r"^(?P<host>\S+)\s+: ok=\d+\s+changed=(?P<changed>\d+)\s+unreachable=(?P<unreachable>\d+)\s+failed=(?P<failed>\d+)",
    re.M,
)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Delivery:
    """How a playbook ended: exit status, when (seconds since the epoch), what it wrote, and what its recap says of hosts."""

    rc: int
    seconds: float
    began: float
    ended: float
    output: str
    changed: dict[str, int]
    unreachable: frozenset[str] = frozenset()


def deliver(settings: Settings, playbook: str, *flags: str, show: bool = True, **variables: t.Any) -> Delivery:
    """Run longshore.delivery.PLAYBOOK, or a playbook's file, in the workspace with variables on top of the inventories'."""
    command = ["ansible-playbook", *flags]
    for inventory in settings.inventories:
        command += ["-i", str(inventory)]
    if settings.extra_vars:
        command += ["-e", f"@{settings.extra_vars}"]
    if variables:
        command += ["-e", json.dumps(variables)]
    command.append(playbook if playbook.endswith(".yml") else f"longshore.delivery.{playbook}")
    began, started = time.time(), time.monotonic()
    lines = []
    with subprocess.Popen(
        command,
        cwd=settings.workspace,
        env=settings.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            lines.append(line)
            if show:
                sys.stdout.write(line)
                sys.stdout.flush()
    seconds, ended = time.monotonic() - started, time.time()
    output = COLOUR.sub("", "".join(lines))
    recap = list(RECAP.finditer(output))
    changed = {match["host"]: int(match["changed"]) for match in recap}
    unreachable = frozenset(match["host"] for match in recap if int(match["unreachable"]))
    return Delivery(process.returncode, seconds, began, ended, output, changed, unreachable)
