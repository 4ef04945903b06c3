# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a rollout is over (the cases of kubectl's own rules), and which pods are whose."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.workload import rollout
from ansible_collections.longshore.delivery.plugins.module_utils.workload.observed import deployment_state, pod_state
from ansible_collections.longshore.delivery.plugins.module_utils.workload.waiting import view_of

from .documents import deployment, event, pod, replica_set, running, waiting

READY: dict[str, t.Any] = {"replicas": 3, "updatedReplicas": 3, "availableReplicas": 3}


@pytest.mark.parametrize(
    ("fields", "done"),
    [
        (READY, True),
        ({**READY, "observed": 1}, False),
        ({**READY, "updatedReplicas": 2}, False),
        ({**READY, "replicas": 4}, False),
        ({**READY, "availableReplicas": 2}, False),
        ({"wanted": 0}, True),
        ({}, False),
    ],
    ids=[
        "done",
        "not seen",
        "not all updated",
        "an earlier pod left",
        "not all available",
        "none wanted",
        "nothing yet",
    ],
)
def test_done(fields: dict[str, t.Any], done: bool) -> None:
    state = deployment_state(deployment(**fields))
    assert rollout.is_done(state) is done
    assert rollout.status(state, [], []).done is done


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        (
            {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota: pods"},
            "exceeded quota: pods",
        ),
        (
            {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"},
            "",
        ),
        ({"type": "ReplicaFailure", "status": "False", "reason": "x", "message": "over"}, ""),
        ({"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated", "message": "on its way"}, ""),
    ],
)
def test_what_kubernetes_itself_refuses(condition: dict[str, str], said: str) -> None:
    state = deployment_state(deployment(conditions=[condition]))
    assert rollout.status(state, [], []).failed == said


def test_a_done_rollout_is_not_failed_by_an_old_condition() -> None:
    condition = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "quota"}
    assert rollout.status(deployment_state(deployment(**READY, conditions=[condition])), [], []).failed == ""


def test_the_line_says_what_each_pod_is_doing() -> None:
    pods = [
        pod(running(ready=True), ready=True, name="a"),
        pod(running(), name="b", node="n2"),
        pod(waiting("ImagePullBackOff"), name="c"),
        pod(scheduled="False", name="d"),
    ]
    old = [pod(running(ready=True), ready=True, name="e")]
    line = rollout.status(
        deployment_state(deployment(wanted=4)), [pod_state(item) for item in pods], [pod_state(item) for item in old]
    ).line
    assert line == (
        "1/4 pods ready (1 ImagePullBackOff on n1, 1 not scheduled, 1 warming up on n2), 1 earlier one left"
    )


def objects(**fields: t.Any) -> dict[str, dict[str, t.Any]]:
    pods = [
        pod(running(ready=True), name="new", template="new"),
        pod(running(ready=True), name="old", template="old", ready=True),
        pod(running(ready=True), name="leaving", template="old", deleting=True),
        pod(running(ready=True), name="evicted", template="new", phase="Failed"),
    ]
    return {
        "Deployment": {"1": deployment(**fields)},
        "ReplicaSet": {"1": replica_set("old", "1"), "2": replica_set("new", "2")},
        "Pod": {item["metadata"]["uid"]: item for item in pods},
        "Event": {"1": event("Killing", "x", of="new")},
    }


def test_new_and_earlier_pods_are_told_apart() -> None:
    view = view_of(objects(), generation=2)
    assert ([item.name for item in view.new], [item.name for item in view.old]) == (["new"], ["old"])
    assert view.events[0].uid == "uid-new"


def test_before_the_controller_has_seen_it_no_pod_is_the_new_one() -> None:
    # its revision still names the earlier template, whose pods would count as the new ones
    view = view_of(objects(observed=1, revision="1"), generation=2)
    assert view.deployment
    assert (view.new, view.old) == ((), ())


def test_a_deployment_older_than_what_was_applied_is_not_looked_at() -> None:
    assert view_of(objects(), generation=3).deployment is None
