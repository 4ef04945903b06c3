# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A pod that has recovered is given its time when it is not ready for a moment, whatever its events and restarts tell of."""

from __future__ import annotations

import typing as t

import pytest

from tests.integration.asking import eventually, kubectl

from .lab import SERVE, Lab

pytestmark = [pytest.mark.lab, pytest.mark.wide]

PAUSING = (
    "(until test -e /tmp/pause; do sleep 1; done; /busybox rm /tmp/w/index.html; "
    "until test -e /tmp/resume; do sleep 1; done; echo back > /tmp/w/index.html) & " + SERVE
)
OPTIONS: dict[str, t.Any] = {
    "replicas": 1,
    "command": ["/bin/sh", "-c", PAUSING],
    "sidecars": None,
    "probes": {
        # one failure counts at once, so a loaded node is given the time to answer
        "ready": {"http": "/index.html", "period": 1, "timeout": 20, "failures": 1},
        "live": {"exec": ["/bin/sh", "-c", "test ! -e /tmp/sick"], "period": 2, "timeout": 20, "failures": 1},
    },
}


def make(lab: Lab, path: str) -> None:
    """Make an empty file in the container."""
    [pod] = lab.pods().values()
    kubectl("exec", pod.metadata.name, "--namespace", lab.namespace, "--", "/bin/sh", "-c", ": > " + path)


def restarts(lab: Lab) -> int:
    [pod] = lab.pods().values()
    return t.cast(int, pod.status.container_statuses[0].restart_count)


def recovered(lab: Lab) -> bool:
    """It was started again and has become ready since: for a moment it still counts as ready from before."""
    [pod] = lab.pods().values()
    [ready] = [item for item in pod.status.conditions if item.type == "Ready"]
    runs = pod.status.container_statuses[0].state.running
    return restarts(lab) == 1 and runs and ready.status == "True" and ready.last_transition_time >= runs.started_at


def test_a_probe_that_failed_before_the_wait_is_not_its_cause(lab: Lab) -> None:
    lab.deliver(**OPTIONS)
    lab.settled()
    before = set(lab.pods())
    make(lab, "/tmp/sick")
    eventually(lambda: recovered(lab) and lab.ready() == before, 60)
    events = lab.core.list_namespaced_event(lab.namespace, field_selector="involvedObject.kind=Pod").items
    assert [event for event in events if event.reason == "Killing" and "failed liveness probe" in event.message]

    make(lab, "/tmp/pause")
    eventually(lambda: not lab.ready(), 60)
    waiting = "0/1 pods ready (1 warming up"
    run = lab.deliver(**OPTIONS, at=(waiting, lambda: make(lab, "/tmp/resume")))
    assert waiting in run.output
    assert (run.result["changed"], run.result["ready"]) == (False, 1)
    assert (lab.ready(), restarts(lab)) == (before, 1)
