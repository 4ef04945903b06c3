# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""A container that runs and whose probes say otherwise: which probe, what it got, and what that means."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.workload.observed import (
    ContainerState,
    EventState,
    PodState,
)
from ansible_collections.longshore.delivery.plugins.module_utils.workload.suspicion import (
    Cause,
    Patience,
    Suspicion,
    on_one_line,
)

_FIELDS = {"startup": "startupProbe", "readiness": "readinessProbe", "liveness": "livenessProbe"}
_STATUS = re.compile(r"statuscode: (\d+)")


def killed_by_probe(pod: PodState, container: ContainerState, events: t.Sequence[EventState]) -> t.Optional[Suspicion]:
    """A container that the kubelet has ended, or is about to, because its startup or liveness probe failed too often."""
    for name in ("startup", "liveness"):
        if any(event.reason == "Killing" and "failed %s probe" % name in event.message for event in events):
            text = "was stopped by the kubelet because its %s did not pass as often as it must" % _told(name, container)
            cause = _cause(pod, container, name, text, got(name, events))
            return Suspicion((pod.uid, container.name, name), 0.0, cause)
    return None


def unready(
    pod: PodState, container: ContainerState, events: t.Sequence[EventState], patience: Patience
) -> t.Optional[Suspicion]:
    """A container that has started and is not ready.

    Warming up belongs before that, into the startup probe's time. From then on it has C(patience.ready) seconds, and no less
    than its readiness probe needs for as many answers as make it ready.
    """
    probe = container.probes.get("readinessProbe")
    if not (container.running and container.started) or container.ready or probe is None:
        return None
    seconds = max(patience.ready, probe.budget)
    text = "runs, and its %s has not passed for %d s" % (_told("readiness", container), seconds)
    cause = _cause(pod, container, "readiness", text, got("readiness", events))
    return Suspicion((pod.uid, container.name, container.restarts, "unready"), seconds, cause)


def got(name: str, events: t.Sequence[EventState]) -> str:
    """What the probe got when it failed last, as the kubelet tells it; empty if it has not told."""
    failures = [
        event
        for event in events
        if event.reason == "Unhealthy" and event.message.lower().startswith("%s probe " % name)
    ]
    last = max(failures, key=lambda event: event.last, default=None)
    return on_one_line(last.message.partition(": ")[2]) if last else ""


def _told(name: str, container: ContainerState) -> str:
    probe = container.probes.get(_FIELDS[name])
    return "%s probe%s" % (name, " (%s)" % probe.text if probe else "")


def _cause(pod: PodState, container: ContainerState, name: str, text: str, said: str) -> Cause:
    if said:
        text += ": %s" % said
    return Cause(
        "probe",
        text,
        _remedy(name, said),
        pod.name,
        container.name,
        container.sidecar,
        pod.node,
        name,
        # after a kill the log that tells more is that of the container which was killed
        "present" if container.running and (name == "readiness" or not container.restarts) else "previous",
    )


def _remedy(name: str, said: str) -> str:
    status = _STATUS.search(said)
    longer = {
        "startup": "If it only needs longer, raise the startup probe's 'failures' or 'period'",
        "readiness": "If it only needs longer to warm up, give it a startup probe or raise 'ready_grace'",
        "liveness": "If it only starts slowly, give it a startup probe",
    }[name]
    if "connection refused" in said:
        return "Let the application listen on that port on all addresses, or correct the probe's port. " + longer
    if status and status.group(1) == "404":
        return "Correct the probe's path, or let the application answer it"
    if status and status.group(1)[0] == "4":
        return "The application answers, and refuses the request: see to the probe's path and headers"
    if status:
        return "The application itself says that it is not well; its log tells why. " + longer
    if "deadline exceeded" in said or "timed out" in said or "timeout" in said.lower():
        return "Raise the probe's 'timeout', or let the application answer sooner. " + longer
    return "See to what the probe asks, and to the application's log. " + longer
