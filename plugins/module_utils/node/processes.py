# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The daemons that run here, read from /proc: no service manager has to be asked, and their flags are the ones in
force.
"""

from __future__ import annotations

import dataclasses
import os
import typing as t


@dataclasses.dataclass(frozen=True)
class Process:
    """A running program.

    :param started: clock ticks since the boot; with the pid it tells a process from a later one of the same number.
    """

    pid: int
    argv: t.Tuple[str, ...]
    started: int

    def flag(self, *names: str) -> t.Optional[str]:
        """The value of a flag given as C(--name value) or C(--name=value), the last one if there are several."""
        values = self.flags(*names)
        return values[-1] if values else None

    def flags(self, *names: str) -> t.List[str]:
        """Every value of a flag."""
        result = []
        for index, argument in enumerate(self.argv):
            name, equals, value = argument.partition("=")
            if name in names and argument.startswith("-"):
                following = self.argv[index + 1] if index + 1 < len(self.argv) else ""
                result.append(value if equals else following)
        return result


def running(names: t.Iterable[str], proc: str = "/proc") -> t.Dict[str, t.List[Process]]:
    """The processes of these programs in this process's own PID namespace: those in containers are not this node's
    daemons. Where the namespace of another user's process may not be seen, it counts as this one.
    """
    wanted = set(names)
    found: t.Dict[str, t.List[Process]] = {name: [] for name in wanted}
    own = _namespace(proc, "self")
    for entry in os.listdir(proc):
        if not entry.isdigit():
            continue
        try:
            with open(os.path.join(proc, entry, "comm"), encoding="utf-8", errors="replace") as stream:
                name = stream.read().rstrip("\n")
            if name in wanted and _namespace(proc, entry) in (own, ""):
                found[name].append(_process(proc, entry))
        except OSError:  # it has ended meanwhile
            continue
    return found


def is_running(process: Process, proc: str = "/proc") -> bool:
    """Whether this very process still runs."""
    try:
        return _process(proc, str(process.pid)).started == process.started
    except OSError:
        return False


def executable(process: Process, proc: str = "/proc") -> str:
    """The path of a running program's file; empty if that may not be seen, or is gone after an upgrade."""
    try:
        path = os.readlink(os.path.join(proc, str(process.pid), "exe"))
    except OSError:
        return ""
    return path if os.path.exists(path) else ""


def _namespace(proc: str, pid: str) -> str:
    """The PID namespace of a process; empty if this user may not see it."""
    try:
        return os.readlink(os.path.join(proc, pid, "ns", "pid"))
    except PermissionError:
        return ""


def _process(proc: str, pid: str) -> Process:
    with open(os.path.join(proc, pid, "cmdline"), encoding="utf-8", errors="replace") as stream:
        argv = tuple(stream.read().split("\0")[:-1])
    with open(os.path.join(proc, pid, "stat"), encoding="utf-8", errors="replace") as stream:
        fields = stream.read().rpartition(")")[2].split()
    return Process(int(pid), argv, int(fields[19]))
