# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a machine has of what engines leave on one: in its kernel, and in the engine itself."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.lab.engine import docker

# what a lab or the engine under it has made
TRACE = re.compile(r"docker|longshore|\b10\.9[012]\.", re.IGNORECASE)


@dataclass(frozen=True)
class Kernel:
    """Mount points, network interfaces, routes ("interface destination", as /proc has them) and iptables rules."""

    mounts: frozenset[str]
    interfaces: frozenset[str]
    routes: frozenset[str]
    rules: frozenset[str]

    @classmethod
    def now(cls) -> Kernel:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
        routes = Path("/proc/net/route").read_text(encoding="ascii").splitlines()[1:]
        rules = [
            f"{table} {line}"
            for table in ("filter", "nat", "mangle")
            for line in subprocess.run(
                ["iptables", "-t", table, "-S"], capture_output=True, text=True, check=True
            ).stdout.splitlines()
        ]
        return cls(
            frozenset(line.split()[4] for line in mounts),
            frozenset(path.name for path in Path("/sys/class/net").iterdir()),
            frozenset(" ".join(line.split()[:2]) for line in routes),
            frozenset(rules),
        )

    def traces(self) -> list[str]:
        """What of it is a lab's, or an engine's."""
        return sorted(
            entry
            for part in (self.mounts, self.interfaces, self.routes, self.rules)
            for entry in part
            if TRACE.search(entry)
        )


@dataclass(frozen=True)
class Engine:
    """Names of all that is in the host's engine, but for images."""

    containers: frozenset[str]
    volumes: frozenset[str]
    networks: frozenset[str]

    @classmethod
    def now(cls) -> Engine:
        return cls(
            frozenset(docker("ps", "--all", "--format", "{{.Names}}").stdout.split()),
            frozenset(docker("volume", "ls", "--quiet").stdout.split()),
            frozenset(docker("network", "ls", "--format", "{{.Name}}").stdout.split()),
        )

    def without(self, other: Engine) -> Engine:
        return Engine(self.containers - other.containers, self.volumes - other.volumes, self.networks - other.networks)
