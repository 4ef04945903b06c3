# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Reads in pods and events what keeps a pod from being ready. Pure; the texts are those of kubelet and scheduler 1.36.

An event comes when the kubelet knows; the container's status may say it only at the pod's next turn, up to 15 s later.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.node.pull_faults import fault_in
from ansible_collections.longshore.delivery.plugins.module_utils.workload.crashes import CORRECT_COMMAND, crash
from ansible_collections.longshore.delivery.plugins.module_utils.workload.first_look import FirstLook
from ansible_collections.longshore.delivery.plugins.module_utils.workload.observed import (
    PREPARING,
    ContainerState,
    EventState,
    PodState,
)
from ansible_collections.longshore.delivery.plugins.module_utils.workload.probe_failures import killed_by_probe, unready
from ansible_collections.longshore.delivery.plugins.module_utils.workload.suspicion import (
    Cause,
    Patience,
    Suspicion,
    on_one_line,
)

_PULL = (
    "ErrImagePull",
    "ImagePullBackOff",
    "RegistryUnavailable",
    "ErrImageNeverPull",
    "InvalidImageName",
    "ImageInspectError",
    "SignatureValidationFailed",
)
_BACK_OFF = re.compile(r'^Back-off pulling image "[^"]*": (?:\w+: )?')
_CONFIGURATION = ("CreateContainerConfigError", "CreateContainerError")
_CREATION = re.compile(r"Error: (?!ErrImagePull|ImagePullBackOff)")
_NO_PROGRAM = re.compile(r'exec: \\?"[^"]*": |executable file .* not found in \$PATH')
_SETUP = ("FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox", "NetworkNotReady")


def suspicions(
    pods: t.Iterable[PodState], events: t.Sequence[EventState], patience: Patience, first: FirstLook
) -> t.List[Suspicion]:
    """What is the matter with the pods of one template, those being deleted left out.

    :param first: what was there when the wait began, which says what of it is over.
    """
    found: t.List[Suspicion] = []
    for pod in pods:
        if pod.ready or not pod.lives:
            continue
        about = [event for event in events if event.uid == pod.uid]
        found += _unschedulable(pod, patience)
        found += _setup(pod, about, patience)
        for container in pod.containers:
            own = [
                event
                for event in about
                if event.container == container.name and first.still_counts(pod, container, event)
            ]
            suspicion = (
                _pull(pod, container, own, patience)
                or _configuration(pod, container, own, patience)
                or killed_by_probe(pod, container, own)
                or crash(pod, container, first.restarts_since(pod, container))
                or unready(pod, container, own, patience)
            )
            if suspicion:
                found.append(suspicion)
    return found


def _unschedulable(pod: PodState, patience: Patience) -> t.Iterator[Suspicion]:
    if pod.scheduled is False:
        # what follows the first sentence is about preemption and resource claims
        said = pod.scheduling.partition(". ")[0].rstrip(".")
        text = "no node takes it: %s" % (said or "the scheduler does not say why")
        remedy = "Ask for less ('resources'), make room, add a node, or remove the taint"
        yield Suspicion((pod.uid, "schedule"), patience.schedule, Cause("unschedulable", text, remedy, pod.name))


def _setup(pod: PodState, events: t.Sequence[EventState], patience: Patience) -> t.Iterator[Suspicion]:
    waits = any(container.waiting in PREPARING for container in pod.containers)
    said = latest(event for event in events if event.warning and event.reason in _SETUP)
    if waits and said and not any(container.running or container.ended for container in pod.containers):
        text = "the node cannot prepare it (%s): %s" % (said.reason, on_one_line(said.message))
        remedy = "See to the volume, the network plugin or the runtime of the node"
        yield Suspicion((pod.uid, "setup"), patience.setup, Cause("setup", text, remedy, pod.name, node=pod.node))


def _pull(
    pod: PodState, container: ContainerState, events: t.Sequence[EventState], patience: Patience
) -> t.Optional[Suspicion]:
    said = first_words(container.message) if container.waiting in _PULL else ""
    if not said and container.waiting in (*_PULL, *PREPARING):
        event = latest(event for event in events if event.reason == "Failed" and "pull image" in event.message)
        said = event.message.partition('": ')[2] if event else container.message if container.waiting in _PULL else ""
    if not said:
        return None
    fault = fault_in(said, container.image)
    text = "cannot have its image %s: %s. The node's runtime says: %s" % (
        container.image,
        fault.because("the node's runtime", "the registry"),
        on_one_line(said),
    )
    cause = _about(pod, container, "pull", text, fault.way_out, detail=fault.kind)
    return Suspicion((pod.uid, container.name, "pull"), patience.pull if fault.heals else 0.0, cause)


def first_words(message: str) -> str:
    """A kubelet's message without the later 'Back-off' around the first one (kubelet 1.31 and newer keep it inside)."""
    words = _BACK_OFF.sub("", message, count=1)
    return "" if words.startswith("Back-off pulling image") else words


def _configuration(
    pod: PodState, container: ContainerState, events: t.Sequence[EventState], patience: Patience
) -> t.Optional[Suspicion]:
    said = container.message if container.waiting in _CONFIGURATION else ""
    if container.waiting in PREPARING:
        event = latest(event for event in events if event.reason == "Failed" and _CREATION.match(event.message))
        said = event.message.partition(": ")[2] if event else ""
    said = on_one_line(said)
    if not said:
        return None
    kind, wait = "configuration", patience.setup
    if "runAsNonRoot" in said or "non-root" in said:
        wait = 0.0
        text = "may not run as root, and no other user is named by number: %s" % said
        remedy = "Write 'USER 10001:10001' (a number) in its Dockerfile, set 'run_as_user', or allow it with 'run_as_root: true'"
    elif _NO_PROGRAM.search(
        said
    ):  # CRI-O tries the command when it creates the container, containerd when it starts it
        kind, wait = "start", 0.0
        text, remedy = "cannot be started: %s" % said, CORRECT_COMMAND
    elif "not found" in said:
        wait = patience.missing
        text = "needs what is not there: %s" % said
        remedy = "Create it in the namespace"
    else:
        text = "cannot be created: %s" % said
        remedy = "Correct the container's options accordingly, or see to the node's runtime"
    return Suspicion((pod.uid, container.name, kind), wait, _about(pod, container, kind, text, remedy))


def _about(pod: PodState, container: ContainerState, kind: str, text: str, remedy: str, detail: str = "") -> Cause:
    return Cause(kind, text, remedy, pod.name, container.name, container.sidecar, pod.node, detail)


def latest(events: t.Iterable[EventState]) -> t.Optional[EventState]:
    """The event that was seen last; None of none."""
    return max(events, key=lambda event: event.last, default=None)
