# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""A container that ends instead of running: how, how often, and whether that is final."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.workload.observed import (
    ContainerState,
    Ended,
    PodState,
)
from ansible_collections.longshore.delivery.plugins.module_utils.workload.suspicion import Cause, Suspicion, on_one_line

CORRECT_COMMAND = (
    "Correct 'command' and 'args', or the image's ENTRYPOINT: the program must be in the image and executable"
)
_CANNOT_RUN = ("StartError", "ContainerCannotRun")
_SIGNALS = {4: "SIGILL", 6: "SIGABRT", 8: "SIGFPE", 9: "SIGKILL", 11: "SIGSEGV", 15: "SIGTERM"}


def crash(pod: PodState, container: ContainerState, restarts: int) -> t.Optional[Suspicion]:
    """A command that cannot be run is final at once. A process that ends is, once it has done so twice.

    One restart is forgiven: the kubelet does it at once, and many programs end once when what they need comes up beside them.

    :param restarts: those that count. What goes on since before them the kubelet tells itself by CrashLoopBackOff, which it says
        of no container that has just run for ten minutes.
    """
    ended = container.ended
    if ended is None:
        return None
    here = Cause("", "", "", pod.name, container.name, container.sidecar, pod.node)
    key = (pod.uid, container.name, "crash")
    if ended.reason in _CANNOT_RUN and not container.running:
        text = "cannot be started: %s" % (on_one_line(ended.message) or "exit code %d" % ended.exit_code)
        return Suspicion(key, 0.0, dataclasses.replace(here, kind="start", text=text, remedy=CORRECT_COMMAND))
    loops = container.waiting == "CrashLoopBackOff" or (container.ended_now and restarts >= 1)
    if not loops:
        return None
    times = container.restarts + 1
    often = {1: "once", 2: "twice"}.get(times, "%d times" % times)
    if ended.reason == "OOMKilled":
        limit = " (%s)" % container.memory_limit if container.memory_limit else ""
        text = "was killed %s because it used more memory than its limit%s" % (often, limit)
        remedy = "Raise 'resources.limits.memory', or let the application need less"
        return Suspicion(key, 0.0, dataclasses.replace(here, kind="memory", text=text, remedy=remedy, logs="present"))
    text = "has ended %s, last with %s" % (often, _how(ended))
    return Suspicion(
        key,
        0.0,
        dataclasses.replace(
            here, kind="crash", text=text, remedy=_remedy(ended, container.memory_limit), logs="present"
        ),
    )


def _how(ended: Ended) -> str:
    code = ended.exit_code
    if code > 128 and code - 128 in _SIGNALS:
        return "exit code %d (%s)" % (code, _SIGNALS[code - 128])
    return "exit code %d" % code


def _remedy(ended: Ended, memory_limit: str) -> str:
    if ended.exit_code == 0:
        return "Let its command go on running: a container that ends is started again, also after success"
    if ended.exit_code in (126, 127):
        return "Correct 'command' and 'args': a shell ends so when a program is missing (127) or not executable (126)"
    if ended.exit_code == 137 and memory_limit:
        return (
            "SIGKILL from the kernel means too much memory: raise 'resources.limits.memory' (%s) if it needs more"
            % memory_limit
        )
    return "Correct what its log tells of"
