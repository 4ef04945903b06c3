# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a wait ends: what Kubernetes says of a rollout, against the time that it is given."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.workload.suspicion import Patience
from ansible_collections.longshore.delivery.plugins.module_utils.workload.waiting import RolloutFailed

from .documents import deployment, pod, running
from .servers import OneRelease

NUMBERS: dict[str, t.Any] = {"wanted": 1, "replicas": 1, "updatedReplicas": 1}
# the Deployment controller's own words, after progressDeadlineSeconds (600 where none are given); it goes on after them
SLOW = {
    "type": "Progressing",
    "status": "False",
    "reason": "ProgressDeadlineExceeded",
    "message": 'ReplicaSet "web-new" has timed out progressing.',
}
REFUSED = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota: pods."}
STARTING = pod(running(started=False))


def test_a_rollout_slower_than_the_controllers_deadline_is_waited_for(tmp_path: Path) -> None:
    up = {
        "pods": pod(running(ready=True), ready=True),
        "deployments": deployment(**NUMBERS, availableReplicas=1),
    }
    with OneRelease(deployment(**NUMBERS, conditions=[SLOW]), STARTING, (), up) as api:
        assert api.followed(tmp_path, Patience()) == ["web-1"]


def test_it_is_given_up_when_the_time_given_is_over_and_no_quota_is_blamed(tmp_path: Path) -> None:
    api = OneRelease(deployment(**NUMBERS, conditions=[SLOW]), STARTING, (), {})
    with api, pytest.raises(RolloutFailed, match="not ready after 1 s") as failed:
        api.followed(tmp_path, Patience(), seconds=1.0)
    assert "quota" not in str(failed.value)
    assert "Raise 'wait_timeout'" in str(failed.value)


def test_pods_that_kubernetes_refuses_are_not_waited_for(tmp_path: Path) -> None:
    api = OneRelease(deployment(**NUMBERS, conditions=[REFUSED]), STARTING, (), {})
    with api, pytest.raises(RolloutFailed, match="does not create its pods: exceeded quota: pods"):
        api.followed(tmp_path, Patience())
