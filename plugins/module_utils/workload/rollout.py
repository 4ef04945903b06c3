# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""When a rollout is over: the rules of C(kubectl rollout status) (kubectl 1.36, DeploymentStatusViewer), and the line to show."""

from __future__ import annotations

import collections
import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.workload.observed import DeploymentState, PodState


@dataclasses.dataclass(frozen=True)
class RolloutStatus:
    """C(done): the new pods are available and no earlier one is left. C(failed): what Kubernetes itself refuses."""

    done: bool
    line: str
    failed: str = ""


def is_done(deployment: DeploymentState) -> bool:
    """Whether the applied state is what runs. Numbers count only once the controller has seen this generation."""
    return (
        deployment.observed_generation >= deployment.generation
        and deployment.updated >= deployment.wanted
        and deployment.replicas <= deployment.updated
        and deployment.available >= deployment.updated
    )


def status(deployment: DeploymentState, new: t.Sequence[PodState], old: t.Sequence[PodState]) -> RolloutStatus:
    """Judge a rollout.

    :param new: the pods of the applied template, :param old: those of earlier ones; neither with pods being deleted.
    """
    if deployment.observed_generation < deployment.generation:
        return RolloutStatus(False, "waiting for the Deployment controller")
    done = is_done(deployment)
    ready = sum(pod.ready for pod in new)
    line = "%d/%d pods ready" % (ready, deployment.wanted)
    doing = collections.Counter(_doing(pod) for pod in new if not pod.ready)
    if doing:
        line += " (%s)" % ", ".join("%d %s" % (count, what) for what, count in sorted(doing.items()))
    if old:
        line += ", %d earlier %s" % (len(old), "one left" if len(old) == 1 else "ones left")
    return RolloutStatus(done, line, "" if done else _refused(deployment))


def _doing(pod: PodState) -> str:
    return "%s on %s" % (pod.doing, pod.node) if pod.node else pod.doing


def _refused(deployment: DeploymentState) -> str:
    """What keeps pods from being made. C(ProgressDeadlineExceeded) is none: the controller notes it and goes on rolling out."""
    failure = deployment.conditions.get("ReplicaFailure")
    return failure[2] if failure and failure[0] == "True" else ""
