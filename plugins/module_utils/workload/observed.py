# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What the cluster shows of a rollout, as plain values: the parts of its objects that the decisions here are made from."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.workload.probes import describe
from ansible_collections.longshore.delivery.plugins.module_utils.workload.release import Json

REVISION = "deployment.kubernetes.io/revision"
TEMPLATE_HASH = "pod-template-hash"
PREPARING = ("ContainerCreating", "PodInitializing")


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a container's process ended."""

    exit_code: int
    reason: str = ""
    message: str = ""


@dataclasses.dataclass(frozen=True)
class Probe:
    """A probe in words, with the seconds in which a healthy container has answered it often enough."""

    text: str
    budget: float


@dataclasses.dataclass(frozen=True)
class ContainerState:
    """One container of a pod; C(ended) is its present end or, while it waits or runs again, the last one.

    C(began) is when its present process, else the last one, was started, by its node's clock; empty where the node does not know.
    """

    name: str
    image: str = ""
    image_id: str = ""
    sidecar: bool = False
    running: bool = False
    started: bool = False
    ready: bool = False
    restarts: int = 0
    waiting: str = ""
    message: str = ""
    ended: t.Optional[Ended] = None
    ended_now: bool = False
    began: str = ""
    memory_limit: str = ""
    probes: t.Mapping[str, Probe] = dataclasses.field(default_factory=dict)

    @property
    def has_run(self) -> bool:
        """Whether a process of it was ever started, or tried to be."""
        return self.running or self.ended is not None or self.restarts > 0


@dataclasses.dataclass(frozen=True)
class PodState:
    """One pod. C(scheduled) is None as long as the scheduler has not said anything."""

    name: str
    uid: str
    template: str
    node: str = ""
    phase: str = ""
    deleting: bool = False
    ready: bool = False
    scheduled: t.Optional[bool] = None
    scheduling: str = ""
    containers: t.Tuple[ContainerState, ...] = ()

    @property
    def lives(self) -> bool:
        """Neither being deleted nor over for good (evicted, say), which the Deployment replaces."""
        return not self.deleting and self.phase not in ("Succeeded", "Failed")

    @property
    def doing(self) -> str:
        """What keeps it from being ready, in a word or two."""
        if self.ready:
            return "ready"
        if not self.scheduled and not self.node:
            return "not scheduled"
        if any(container.waiting and container.waiting not in PREPARING for container in self.containers):
            return next(
                container.waiting
                for container in self.containers
                if container.waiting and container.waiting not in PREPARING
            )
        if not all(container.running for container in self.containers):
            return "being created"
        if not all(container.started for container in self.containers):
            return "starting"
        return "warming up"


@dataclasses.dataclass(frozen=True)
class EventState:
    """An event about the pod of C(uid); C(container) where the kubelet says which.

    C(own_uid) and C(version) tell one occurrence: an event that occurs again is the same one in another version.
    """

    uid: str
    reason: str
    message: str
    container: str = ""
    warning: bool = True
    last: str = ""
    own_uid: str = ""
    version: str = ""


@dataclasses.dataclass(frozen=True)
class DeploymentState:
    """A Deployment's numbers, by the names of its status (apps/v1, DeploymentStatus)."""

    name: str
    generation: int
    observed_generation: int
    wanted: int
    replicas: int
    updated: int
    available: int
    revision: str = ""
    conditions: t.Mapping[str, t.Tuple[str, str, str]] = dataclasses.field(default_factory=dict)
    """type to (status, reason, message)"""


def deployment_state(item: Json) -> DeploymentState:
    """Read a Deployment."""
    metadata, spec, status = item["metadata"], item["spec"], item.get("status") or {}
    return DeploymentState(
        name=metadata["name"],
        generation=metadata.get("generation", 0),
        observed_generation=status.get("observedGeneration", 0),
        wanted=spec.get("replicas", 1),
        replicas=status.get("replicas", 0),
        updated=status.get("updatedReplicas", 0),
        available=status.get("availableReplicas", 0),
        revision=(metadata.get("annotations") or {}).get(REVISION, ""),
        conditions={
            entry["type"]: (entry.get("status", ""), entry.get("reason", ""), entry.get("message", ""))
            for entry in status.get("conditions") or []
        },
    )


def template_of_revision(replica_sets: t.Iterable[Json], revision: str) -> t.Optional[str]:
    """The pod template's hash of a revision: which pods are the new ones."""
    for item in replica_sets:
        metadata = item["metadata"]
        if (metadata.get("annotations") or {}).get(REVISION) == revision:
            return t.cast(str, (metadata.get("labels") or {}).get(TEMPLATE_HASH, ""))
    return None


def pod_state(item: Json) -> PodState:
    """Read a pod: its containers and its native sidecars, sidecars first, as they start."""
    metadata, spec, status = item["metadata"], item["spec"], item.get("status") or {}
    conditions = {entry["type"]: entry for entry in status.get("conditions") or []}
    scheduled = conditions.get("PodScheduled") or {}
    states = {
        entry["name"]: entry
        for field in ("initContainerStatuses", "containerStatuses")
        for entry in status.get(field) or []
    }
    containers = [
        *(entry for entry in spec.get("initContainers") or [] if entry.get("restartPolicy") == "Always"),
        *spec["containers"],
    ]
    return PodState(
        name=metadata["name"],
        uid=metadata["uid"],
        template=(metadata.get("labels") or {}).get(TEMPLATE_HASH, ""),
        node=spec.get("nodeName", ""),
        phase=status.get("phase", ""),
        deleting="deletionTimestamp" in metadata,
        ready=(conditions.get("Ready") or {}).get("status") == "True",
        scheduled={"True": True, "False": False}.get(scheduled.get("status", "")),
        scheduling=scheduled.get("message", ""),
        containers=tuple(_container_state(entry, states.get(entry["name"], {})) for entry in containers),
    )


def _container_state(spec: Json, status: Json) -> ContainerState:
    state = status.get("state") or {}
    waiting = state.get("waiting") or {}
    now = state.get("terminated")
    ended = now or (status.get("lastState") or {}).get("terminated")
    return ContainerState(
        name=spec["name"],
        image=spec.get("image", ""),
        image_id=status.get("imageID", ""),
        sidecar=spec.get("restartPolicy") == "Always",
        running="running" in state,
        started=bool(status.get("started")),
        ready=bool(status.get("ready")),
        restarts=status.get("restartCount", 0),
        waiting=waiting.get("reason", ""),
        message=waiting.get("message", ""),
        ended=Ended(ended.get("exitCode", 0), ended.get("reason", ""), ended.get("message", "")) if ended else None,
        ended_now=bool(now),
        began=(state.get("running") or ended or {}).get("startedAt") or "",
        memory_limit=((spec.get("resources") or {}).get("limits") or {}).get("memory", ""),
        probes={
            field: _probe(spec[field])
            for field in ("startupProbe", "readinessProbe", "livenessProbe")
            if spec.get(field)
        },
    )


def _probe(probe: Json) -> Probe:
    delay, period = probe.get("initialDelaySeconds", 0), probe.get("periodSeconds", 10)
    successes, timeout = probe.get("successThreshold", 1), probe.get("timeoutSeconds", 1)
    return Probe(describe(probe), float(delay + period * successes + timeout))


def event_state(item: Json) -> EventState:
    """Read an event. Its field path names the container, as in C(spec.containers{web})."""
    about, metadata = item.get("involvedObject") or {}, item["metadata"]
    container = about.get("fieldPath", "").partition("{")[2].rstrip("}")
    return EventState(
        uid=about.get("uid", ""),
        reason=item.get("reason", ""),
        message=item.get("message", ""),
        container=container,
        warning=item.get("type") == "Warning",
        last=(item.get("series") or {}).get("lastObservedTime")
        or item.get("lastTimestamp")
        or item.get("eventTime")
        or "",
        own_uid=metadata["uid"],
        version=metadata["resourceVersion"],
    )
