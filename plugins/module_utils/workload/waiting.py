# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Follows a rollout to its end: a line for each change, and a paragraph as soon as it is clear that it will not come up."""

from __future__ import annotations

import dataclasses
import time
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.workload import rollout
from ansible_collections.longshore.delivery.plugins.module_utils.workload.causes import suspicions
from ansible_collections.longshore.delivery.plugins.module_utils.workload.cluster import Cluster
from ansible_collections.longshore.delivery.plugins.module_utils.workload.cluster_errors import ClusterError
from ansible_collections.longshore.delivery.plugins.module_utils.workload.diagnosis import LOG_LINES, explain
from ansible_collections.longshore.delivery.plugins.module_utils.workload.first_look import FirstLook
from ansible_collections.longshore.delivery.plugins.module_utils.workload.manifests import RELEASE_LABEL
from ansible_collections.longshore.delivery.plugins.module_utils.workload.observed import (
    DeploymentState,
    EventState,
    PodState,
    deployment_state,
    event_state,
    pod_state,
    template_of_revision,
)
from ansible_collections.longshore.delivery.plugins.module_utils.workload.scheduling import refusals
from ansible_collections.longshore.delivery.plugins.module_utils.workload.suspicion import (
    Cause,
    Patience,
    Stopwatch,
    Suspicion,
)
from ansible_collections.longshore.delivery.plugins.module_utils.workload.watching import Source, Watcher

Progress = t.Callable[[str], None]


class RolloutFailed(DeliveryError):
    """The pods do not come up; the message is the diagnosis."""


@dataclasses.dataclass(frozen=True)
class View:
    """One look at a rollout. C(new) are the pods of the applied template; pods being deleted are in neither list."""

    deployment: t.Optional[DeploymentState]
    new: t.Tuple[PodState, ...] = ()
    old: t.Tuple[PodState, ...] = ()
    events: t.Tuple[EventState, ...] = ()


def view_of(objects: t.Mapping[str, t.Mapping[str, t.Any]], generation: int) -> View:
    """Make a look of watched objects, by kind and uid.

    :param generation: of the Deployment when it was applied; an older one is not looked at.
    """
    deployments = [deployment_state(item) for item in objects["Deployment"].values()]
    if not deployments or deployments[0].generation < generation:
        return View(None)
    deployment = deployments[0]
    pods = [pod_state(item) for item in objects["Pod"].values()]
    pods = sorted((pod for pod in pods if pod.lives), key=lambda pod: pod.name)
    template = None
    if deployment.observed_generation >= deployment.generation:  # before that the revision may be the earlier one
        template = template_of_revision(objects["ReplicaSet"].values(), deployment.revision)
    return View(
        deployment,
        tuple(pod for pod in pods if pod.template == template),
        tuple(pod for pod in pods if template is not None and pod.template != template),
        tuple(event_state(item) for item in objects["Event"].values()),
    )


def follow(
    cluster: Cluster, namespace: str, name: str, generation: int, seconds: float, patience: Patience, progress: Progress
) -> t.Tuple[PodState, ...]:
    """Wait until the rollout is done; the pods that then run.

    :param seconds: how long at most.
    :raises RolloutFailed: it will not come up, or has not in time.
    """
    labels = {"labelSelector": "%s=%s" % (RELEASE_LABEL, name)}
    sources = [
        Source("Deployment", {"fieldSelector": "metadata.name=%s" % name}),
        Source("ReplicaSet", labels),
        Source("Pod", labels),
        Source("Event", {"fieldSelector": "involvedObject.kind=Pod"}, optional=True),
    ]
    deadline = time.monotonic() + seconds
    stopwatch, shown = Stopwatch(), ""
    with Watcher(cluster, namespace, sources) as watcher:
        first = FirstLook.at(
            (pod_state(item) for item in watcher.objects["Pod"].values()),
            (event_state(item) for item in watcher.objects["Event"].values()),
        )
        while True:
            view = view_of(watcher.objects, generation)
            now = time.monotonic()
            look_again: t.Optional[float] = None
            if view.deployment:
                state = rollout.status(view.deployment, view.new, view.old)
                if state.line != shown:
                    shown = state.line
                    progress("%s: %s" % (name, shown))
                # the two watches are not in step: the pods' may have yet to show what the Deployment's counts
                if state.done and (now >= deadline or sum(pod.ready for pod in view.new) >= view.deployment.wanted):
                    return view.new
                suspected = suspicions(view.new, view.events, patience, first)
                cause, look_again = stopwatch.judge(suspected, now)
                cause = cause or _refused(state.failed, suspected)
                if cause:
                    raise _failure(cluster, namespace, name, cause, view, watcher)
                if now >= deadline:
                    raise _failure(cluster, namespace, name, _too_late(seconds, shown, suspected), view, watcher)
            elif now >= deadline:
                raise RolloutFailed(
                    "Workload %s in namespace %s: its Deployment was not seen as it was applied within %d s. It was deleted "
                    "meanwhile, or the API server is away." % (name, namespace, seconds)
                )
            watcher.wait(min(deadline - now, look_again if look_again is not None else deadline - now))


def _refused(said: str, suspected: t.Sequence[Suspicion]) -> t.Optional[Cause]:
    """What Kubernetes itself refuses pods for: a quota, an admission plugin."""
    if not said:
        return None
    if suspected:
        return suspected[0].cause
    remedy = "Correct what is refused, or raise the quota"
    return Cause("refused", "Kubernetes does not create its pods: %s" % said.rstrip("."), remedy)


def _too_late(seconds: float, line: str, suspected: t.Sequence[Suspicion]) -> Cause:
    late = "not ready after %d s" % seconds
    if suspected:
        first = suspected[0].cause
        return dataclasses.replace(first, text="%s (%s)" % (first.text, late))
    remedy = "Raise 'wait_timeout' if the pods only need longer"
    return Cause("timeout", "%s: %s" % (late, line), remedy)


def _failure(cluster: Cluster, namespace: str, name: str, cause: Cause, view: View, watcher: Watcher) -> RolloutFailed:
    log = ""
    if cause.logs and cause.container:
        wanted = (cause.logs == "previous", cause.logs != "previous")
        log = next(
            filter(None, (cluster.logs(namespace, cause.pod, cause.container, one, LOG_LINES) for one in wanted)), ""
        )
    serving = sum(pod.ready for pod in view.old)
    found = explain(name, namespace, cause, log, serving, _by_node(cluster, cause, watcher))
    return RolloutFailed(found.text, why=dict(found.facts))


def _by_node(cluster: Cluster, cause: Cause, watcher: Watcher) -> t.List[str]:
    """What is known of each node; nothing where the user may not list nodes."""
    if cause.kind != "unschedulable":
        return []
    pod = next((item for item in watcher.objects["Pod"].values() if item["metadata"]["name"] == cause.pod), None)
    try:
        return refusals(pod, cluster.list("Node", None)["items"]) if pod else []
    except ClusterError:
        return []


def follow_removal(cluster: Cluster, namespace: str, name: str, seconds: float, progress: Progress) -> None:
    """Wait until a Deployment that is being deleted and its pods are gone.

    :raises RolloutFailed: they are not in time.
    """
    labels = {"labelSelector": "%s=%s" % (RELEASE_LABEL, name)}
    sources = [Source("Deployment", {"fieldSelector": "metadata.name=%s" % name}), Source("Pod", labels)]
    deadline, shown = time.monotonic() + seconds, ""
    with Watcher(cluster, namespace, sources) as watcher:
        while any(watcher.objects.values()):
            pods = watcher.objects["Pod"]
            line = "%s: %d %s to end" % (name, len(pods), "pod has yet" if len(pods) == 1 else "pods have yet")
            if line != shown:
                shown = line
                progress(line)
            left = deadline - time.monotonic()
            if left <= 0:
                raise RolloutFailed(
                    "Workload %s in namespace %s is not gone after %d s: pods %s are still ending. Raise 'wait_timeout', or see "
                    "why they do not end (finalizers, a node that is away)."
                    % (name, namespace, seconds, ", ".join(sorted(item["metadata"]["name"] for item in pods.values())))
                )
            watcher.wait(left)
