# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Releases that cannot come up: each is given up soon after its cause shows in the cluster, and the cause is said."""

from __future__ import annotations

import dataclasses
import json
import typing as t

import pytest

from tests.signs import Sign, first_seen

from .lab import PODS, SECRET, Lab

# seconds after which a release that cannot come up is given up at the latest, from its cause's first sign on
GIVEN_UP_SECONDS = 20
NO_IMAGE = "10.90.0.20:5999/shop/none@sha256:" + "a" * 64

pytestmark = [pytest.mark.lab, pytest.mark.wide]


@dataclasses.dataclass(frozen=True)
class Broken:
    """`options` make it so; the result is to have this `kind` of cause and these `words`."""

    options: dict[str, t.Any]
    kind: str
    words: tuple[str, ...]
    sign: Sign


BROKEN = {
    "crash": Broken(
        {"command": ["/bin/sh", "-c", "echo starting; echo the password $DB_PASSWORD is wrong; exit 78"]},
        "crash",
        ("container web has ended twice, last with exit code 78", "\n  starting\n", "is wrong"),
        Sign("Started", "web"),  # it ends right after
    ),
    "image that no registry has": Broken(
        {"image": NO_IMAGE, "pin": True, "sidecars": None},
        "pull",
        (NO_IMAGE, "connection refused", "node"),
        Sign("Failed", "web", "Failed to pull image"),
    ),
    "readiness probe that never passes": Broken(
        {"probes": {"ready": {"http": "/nowhere", "period": 2, "timeout": 10}}},
        "probe",
        ("readiness probe (GET /nowhere on port http) has not passed for 15 s", "statuscode: 404"),
        Sign("Unhealthy", "web", "Readiness probe failed"),
    ),
    "startup probe that never passes": Broken(
        {"probes": {"startup": {"exec": ["/bin/sh", "-c", "echo not yet; exit 1"], "failures": 3, "timeout": 10}}},
        "probe",
        ("stopped by the kubelet because its startup probe", "not yet"),
        Sign("Killing", "web", "Container web failed startup probe"),
    ),
    "command that is not there": Broken(
        {"command": ["/bin/nonesuch"]},
        "start",
        ("cannot be started", "/bin/nonesuch"),
        Sign("Failed", "web", "Error: "),
    ),
    "root": Broken(
        {"run_as_user": 0},
        "configuration",
        ("may not run as root", "run_as_user"),
        Sign("Failed", "web", "Error: "),
    ),
    "no room": Broken(
        {"resources": {"requests": {"cpu": "4096"}}},
        "unschedulable",
        ("no node takes it", "Insufficient cpu", "of the 4096 asked for"),
        Sign("FailedScheduling"),
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_release_that_cannot_come_up_is_given_up_with_the_cause(release: Lab, name: str) -> None:
    broken = BROKEN[name]
    before = release.ready()
    run = release.deliver(ok=False, **broken.options)
    shown = first_seen(release.core, release.apps, release.namespace, "web", broken.sign)
    assert shown is not None
    # at most: the cluster's times are whole seconds, cut off
    assert 0 <= run.answered - shown <= GIVEN_UP_SECONDS, run.output
    assert run.result["why"]["kind"] == broken.kind, run.output
    message = run.result["msg"]
    assert not [word for word in broken.words if word not in message], message
    assert SECRET not in json.dumps(run.result)
    assert SECRET not in run.output
    # the same pods as before, ready still, and who asks gets an answer
    assert release.ready() >= before
    assert run.result["why"]["earlier_pods_serving"] == PODS
    assert "%d earlier pods go on serving" % PODS in message
    assert release.page() == "hello " + SECRET


@pytest.mark.parametrize("name", ["crash", "startup probe that never passes"])
def test_what_goes_on_since_an_earlier_run_is_found_by_the_next_one_too(release: Lab, name: str) -> None:
    broken = BROKEN[name]
    release.deliver(ok=False, **broken.options)
    again = release.deliver(ok=False, **broken.options)
    assert again.result["changed"] is False
    # from the start of ansible-playbook on, and far from wait_timeout
    assert again.seconds <= 2 * GIVEN_UP_SECONDS, again.output
    assert again.result["why"]["kind"] == broken.kind, again.output
