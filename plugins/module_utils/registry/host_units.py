# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What the host itself is: its distribution, packages and systemd units."""

from __future__ import annotations

import dataclasses
import os
import time
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import RunCommand
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_listeners import Sockets
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_program import running

SUPPORTED = "Debian 12 and 13 and what descends from them, with systemd"
_PROPERTIES = (
    "Id,LoadState,ActiveState,Result,UnitFileState,MainPID,NeedDaemonReload,NRestarts,ExecMainStartTimestampMonotonic"
)
# seconds after its start in which one that systemd has run again may end for the same reason
_PROBATION = 30.0


@dataclasses.dataclass(frozen=True)
class Unit:
    """A systemd service.

    :param started_at: when its main process was started, in seconds since the epoch; 0 when it never was.
    :param environment: that of its running main process.
    :param listens: the addresses with ports on which that process listens.
    :param program: the identity of the program that it runs.
    :param log: its last words, where it does not run, or has ended by itself a moment ago and was run again.
    :param result: how it ended last, as systemd names it (systemd.exec(5), SERVICE_RESULT), if that was no success.
    """

    name: str
    loaded: bool = False
    masked: bool = False
    active: str = "inactive"
    enabled: bool = False
    needs_daemon_reload: bool = False
    started_at: float = 0.0
    environment: t.Mapping[str, str] = dataclasses.field(default_factory=dict, repr=False)
    listens: t.Tuple[str, ...] = ()
    program: str = ""
    log: str = ""
    result: str = ""

    @property
    def is_active(self) -> bool:
        return self.active in ("active", "reloading")


def host_fault(root: str = "/") -> t.Optional[str]:
    """Why no registry can be put on this host, or None."""
    release = _os_release(os.path.join(root, "etc/os-release"))
    family = (release.get("ID", "") + " " + release.get("ID_LIKE", "")).split()
    if "debian" not in family:
        return "This host runs %s. A registry is put on %s." % (
            release.get("PRETTY_NAME") or "an unknown system",
            SUPPORTED,
        )
    if not os.path.isdir(os.path.join(root, "run/systemd/system")):
        return "This host was not booted by systemd. A registry is put on %s." % SUPPORTED
    return None


def _os_release(path: str) -> t.Dict[str, str]:
    try:
        with open(path) as stream:
            pairs = [line.strip().partition("=") for line in stream if "=" in line]
    except FileNotFoundError:
        return {}
    return {key: value.strip("\"'") for key, _equals, value in pairs}


def package_versions(names: t.Sequence[str], run_command: RunCommand) -> t.Dict[str, str]:
    """The versions of those of these packages that are installed."""
    query = ["dpkg-query", "--show", "--showformat", "${Package} ${Version} ${db:Status-Status}\n", *names]
    rows = [line.split() for line in run_command(query).stdout.splitlines()]
    return {row[0]: row[1] for row in rows if len(row) == 3 and row[2] == "installed"}


def units(names: t.Sequence[str], run_command: RunCommand, sockets: t.Optional[Sockets] = None) -> t.Dict[str, Unit]:
    """These services, by name, each with its last log lines where it failed.

    :param sockets: not asked for anything yet, for what listens is to be later than what systemd says.
    """
    sockets = sockets or Sockets()
    proc = sockets.proc
    answer = run_command(["systemctl", "show", "--property", _PROPERTIES, *names]).stdout
    found = {}
    for block in answer.split("\n\n"):
        said = {key: value for key, _equals, value in (line.partition("=") for line in block.splitlines())}
        name = said.get("Id", "")
        if name not in names:
            continue
        active, pid = said.get("ActiveState", "inactive"), said.get("MainPID", "0")
        started_at = _since_the_epoch(int(said.get("ExecMainStartTimestampMonotonic") or 0))
        was_run_again = int(said.get("NRestarts") or 0) > 0 and time.time() - started_at < _PROBATION
        is_well = active == "inactive" or (active in ("active", "reloading") and not was_run_again)
        found[name] = Unit(
            name=name,
            loaded=said.get("LoadState") == "loaded",
            masked=said.get("LoadState") == "masked",
            active=active,
            # what is generated starts with the host as what it is generated of says, which is compared itself
            enabled=said.get("UnitFileState") in ("enabled", "generated"),
            needs_daemon_reload=said.get("NeedDaemonReload") == "yes",
            started_at=started_at,
            environment=environment_of(int(pid), proc),
            listens=tuple(sockets.addresses_of(int(pid))),
            program=running(int(pid), proc),
            result=said.get("Result", "").replace("success", ""),
            log="" if is_well else _log(name, run_command),
        )
    return {name: found.get(name, Unit(name)) for name in names}


def _since_the_epoch(microseconds: int) -> float:
    """A moment of the kernel's monotonic clock, by the other clock's present reading; 0 for one that never was."""
    return time.time() - time.monotonic() + microseconds / 1e6 if microseconds else 0.0


def environment_of(pid: int, proc: str = "/proc") -> t.Dict[str, str]:
    """The environment that a process was started with; empty for one that is not there."""
    try:
        with open(os.path.join(proc, str(pid), "environ"), errors="replace") as stream:
            pairs = [entry.partition("=") for entry in stream.read().split("\0")]
    except OSError:  # it does not run
        return {}
    return {key: value for key, _equals, value in pairs}


def arguments_of(pid: int, proc: str = "/proc") -> t.List[str]:
    """The command and its arguments as a process has them; none for one that is not there."""
    try:
        with open(os.path.join(proc, str(pid), "cmdline"), errors="replace") as stream:
            return stream.read().split("\0")
    except OSError:  # it does not run
        return []


def _log(name: str, run_command: RunCommand) -> str:
    """The last words of the service's own processes, without what systemd says of them; of a panic the first ones."""
    said = ["journalctl", "_SYSTEMD_UNIT=%s" % name, "--lines", "60", "--output", "cat", "--no-pager"]
    lines = run_command(said).stdout.splitlines()
    panics = [number for number, line in enumerate(lines) if line.startswith("panic: ")]
    if panics and not any(line.startswith("time=") for line in lines[panics[-1] :]):
        lines = [lines[panics[-1]]]
    return " / ".join(line.strip().rstrip(".") for line in lines[-3:] if line.strip())
