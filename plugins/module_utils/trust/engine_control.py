# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Make an engine take over its files, as gently as it allows, and wait until it has.

Docker and CRI-O: SIGHUP. containerd has no reload, SIGHUP kills it: it is restarted, which its containers outlive (the
unit has C(KillMode=process); seen on 1.6, 1.7 and 2.2: the same pids before and after).
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import time
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import RunCommand
from ansible_collections.longshore.delivery.plugins.module_utils.node.client import EngineRefusal
from ansible_collections.longshore.delivery.plugins.module_utils.node.cri import Cri
from ansible_collections.longshore.delivery.plugins.module_utils.node.docker_socket import (
    DockerSocket,
    insecure_registries,
    mirrors,
)
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import CONTAINERD, DAEMONS, DOCKER, Engine
from ansible_collections.longshore.delivery.plugins.module_utils.node.processes import is_running, running

_SYSTEMD = "/run/systemd/system"
RESTART_WAIT = 60.0  # seconds for an engine to come back
RELOAD_WAIT = 15.0  # seconds for Docker to show what it read


class EngineFailed(Exception):
    """An engine that does not take over its files, or does not come back; the text says what it does instead."""


def reload(engine: Engine, expected: t.Mapping[str, bool]) -> None:
    """Have Docker or CRI-O read its files again.

    :param expected: for Docker, the insecure registries and the URLs of mirrors that must be listed afterwards (True), or must
        not (False).
        Its log is no proof: 28.5 says 'Reloaded configuration' after an error, too.
    :raises EngineFailed: the engine is gone, or does not show what is expected within C(RELOAD_WAIT).
    """
    if engine.daemon is None:
        return
    if not is_running(engine.daemon):
        raise EngineFailed("%s has ended since it was looked at" % engine.name)
    os.kill(engine.daemon.pid, signal.SIGHUP)
    if engine.name == DOCKER and expected:
        _await(lambda: _docker_lacks(engine, expected), RELOAD_WAIT)
    elif not is_running(engine.daemon):
        raise EngineFailed("%s ended on SIGHUP" % engine.name)


def can_restart(engine: Engine) -> t.Optional[str]:
    """Why this engine cannot be restarted from here, None if it can."""
    if os.path.isdir(_SYSTEMD):
        return None
    return "%s must be restarted and this node has no systemd: restart it by its own means and run again" % engine.name


def restart(engine: Engine, run_command: RunCommand) -> Engine:
    """Restart an engine and wait until it serves again. Returns it with its new process.

    Whether it serves is asked through the CRI: systemd and C(ctr version) are content with a containerd whose CRI is
    gone.

    :raises EngineFailed: with what systemd or the engine says.
    """
    unit = _unit(engine)
    # systemd refuses the sixth start within ten seconds, and one that puts files back must not be the sixth
    run_command(["systemctl", "reset-failed", unit])
    done = run_command(["systemctl", "restart", unit])
    if done.rc:
        said = (done.stderr or done.stdout).strip()
        raise EngineFailed("%s does not start: %s %s" % (unit, said, _log(unit, run_command)))
    try:
        _await(lambda: _silence(engine, run_command), RESTART_WAIT)
    except EngineFailed as error:
        raise EngineFailed("%s. %s" % (error, _log(unit, run_command))) from None
    program = DAEMONS[engine.name]
    daemons = running([program])[program]
    return dataclasses.replace(engine, daemon=daemons[0] if daemons else None)


def _unit(engine: Engine) -> str:
    """The systemd unit that the engine runs in, by its control group."""
    lines: t.List[str] = []
    if engine.daemon is not None:
        with contextlib.suppress(OSError), open("/proc/%d/cgroup" % engine.daemon.pid, encoding="utf-8") as stream:
            lines = stream.read().splitlines()
    names = [line.rpartition("/")[2] for line in lines]
    return next((name for name in names if name.endswith(".service")), engine.name + ".service")


def _silence(engine: Engine, run_command: RunCommand) -> t.Optional[str]:
    """What keeps a containerd or CRI-O from serving its CRI; None if it serves."""
    if engine.client:
        return Cri(run_command, engine.client, engine.socket).complaint()
    if engine.name != CONTAINERD:
        return None if os.path.exists(engine.socket) else "it has not opened %s" % engine.socket
    ctr = os.path.join(os.path.dirname(engine.program), "ctr") if engine.program else "ctr"
    done = run_command([ctr, "--address", engine.socket, "plugins", "ls"])
    states = [line.split()[-1] for line in done.stdout.splitlines() if " cri " in line]
    if done.rc or not states:
        return (done.stderr or "it lists no CRI among its plugins").strip()
    bad = [state for state in states if state != "ok"]
    return "its CRI plugin is in state %r" % bad[0] if bad else None


def _docker_lacks(engine: Engine, expected: t.Mapping[str, bool]) -> t.Optional[str]:
    try:
        info = DockerSocket(engine.socket).info()
    except EngineRefusal as refusal:
        return str(refusal)
    shown = {*insecure_registries(info), *mirrors(info)}
    for item, listed in expected.items():
        if (item in shown) != listed:
            what = "a mirror" if "://" in item else "insecure"
            return "Docker %s %s as %s after SIGHUP; its log says why" % (
                "does not list" if listed else "still lists",
                item,
                what,
            )
    return None


def _await(complaint: t.Callable[[], t.Optional[str]], timeout: float) -> None:
    deadline = time.monotonic() + timeout
    pause = 0.02
    while True:
        said = complaint()
        if said is None:
            return
        if time.monotonic() > deadline:
            raise EngineFailed(said)
        time.sleep(pause)
        pause = min(pause * 2, 1.0)


def _log(unit: str, run_command: RunCommand) -> str:
    """The last lines of a unit's log that speak of an error."""
    done = run_command(["journalctl", "--unit", unit, "--lines", "40", "--output", "cat", "--no-pager"])
    lines = [
        line
        for line in done.stdout.splitlines()
        if "level=error" in line or "level=fatal" in line or "containerd: " in line
    ]
    return "Its log says: %s" % " | ".join(lines[-2:]) if lines else ""
