# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was over when a wait began says nothing of it; what goes on still does, and is believed as fast as ever."""

from __future__ import annotations

import dataclasses
import itertools
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.workload.causes import suspicions
from ansible_collections.longshore.delivery.plugins.module_utils.workload.first_look import FirstLook
from ansible_collections.longshore.delivery.plugins.module_utils.workload.observed import event_state, pod_state
from ansible_collections.longshore.delivery.plugins.module_utils.workload.suspicion import Patience
from ansible_collections.longshore.delivery.plugins.module_utils.workload.waiting import RolloutFailed

from .documents import deployment, ended, event, pod, running, waiting
from .servers import OneRelease

Json = dict[str, t.Any]
PATIENCE = Patience(ready=15)
# in this order, by the clock of the pod's node; the kubelet writes whole seconds
EARLIER, BEFORE, START, AFTER = (f"2026-11-21T{time}Z" for time in ("14:20:00", "14:30:00", "14:30:01", "14:59:00"))
NOT_PULLED = 'Failed to pull image "registry.example:5000/shop/web": registry.example/shop/web: not found'


@dataclasses.dataclass(frozen=True)
class Look:
    """A pod and the events about it, at one time."""

    pod: Json
    events: tuple[Json, ...] = ()


def killed(probe: str, last: str, version: int = 1) -> Json:
    return event("Killing", f"Container web failed {probe} probe, will be restarted", last=last, version=version)


def found(first: Look | None, now: Look) -> list[tuple[str, str, float]]:
    """Kind, detail and patience of what is suspected of `now` in a wait that began with `first` (without the pod if None)."""
    begin = FirstLook()
    if first:
        begin = FirstLook.at([pod_state(first.pod)], [event_state(item) for item in first.events])
    events = [event_state(item) for item in now.events]
    return [
        (item.cause.kind, item.cause.detail, item.patience)
        for item in suspicions([pod_state(now.pod)], events, PATIENCE, begin)
    ]


def terminated(code: int = 137, began: str | None = EARLIER, reason: str = "Error") -> Json:
    return {"exitCode": code, "reason": reason, "startedAt": began}


LOOP = "CrashLoopBackOff"
UNREADY, LIVENESS, STARTUP = ("probe", "readiness", 15.0), ("probe", "liveness", 0.0), ("probe", "startup", 0.0)
CRASH, MEMORY, PULL = ("crash", "", 0.0), ("memory", "", 0.0), ("pull", "not_found", 0.0)

KILLED = killed("liveness", BEFORE)
RECOVERED = Look(pod(running(restarts=1, began=START, last=terminated())), (KILLED,))
STARTING = Look(pod(running(started=False, restarts=1, began=START)), (killed("startup", BEFORE),))
CRASHED_ONCE = Look(pod(running(ready=True, restarts=1, began=START, last=terminated(1))))

# the first look (None: the pod is newer), a later one (None: the first itself is judged), what is suspected
CASES: dict[str, tuple[Look | None, Look | None, list[tuple[str, str, float]]]] = {
    "unready for a moment, killed long ago": (RECOVERED, None, [UNREADY]),
    "the same, ready no more only later": (
        Look(pod(running(ready=True, restarts=1, began=START), ready=True), (KILLED,)),
        RECOVERED,
        [UNREADY],
    ),
    "killed again meanwhile": (
        RECOVERED,
        Look(RECOVERED.pod, (killed("liveness", AFTER, version=2),)),
        [LIVENESS],
    ),
    "killed again meanwhile, and started again": (
        RECOVERED,
        Look(pod(running(restarts=2, began="2026-11-21T14:59:03Z")), (killed("liveness", AFTER, version=2),)),
        [LIVENESS],
    ),
    "killed again, by a clock that was set back": (
        RECOVERED,
        Look(RECOVERED.pod, (killed("liveness", EARLIER, version=2),)),
        [LIVENESS],
    ),
    "about to be killed as the wait begins": (
        Look(pod(running(restarts=1, began=START)), (killed("liveness", AFTER),)),
        None,
        [LIVENESS],
    ),
    "killed in the second of its new start": (
        Look(pod(running(restarts=1, began=BEFORE)), (KILLED,)),
        None,
        [UNREADY],
    ),
    "started again and starting, after a slow start long ago": (STARTING, None, []),
    "its startup probe fails again": (
        STARTING,
        Look(STARTING.pod, (killed("startup", AFTER, version=2),)),
        [STARTUP],
    ),
    "killed over and over, and waiting for its next start": (
        Look(pod(waiting(LOOP, "", 4, terminated())), (killed("startup", BEFORE),)),
        None,
        [STARTUP],
    ),
    "ends over and over, and was killed once before that": (
        Look(pod(waiting(LOOP, "", 4, terminated(1, START))), (KILLED,)),
        None,
        [CRASH],
    ),
    "a node that has forgotten when its container began": (
        Look(
            pod(waiting("ContainerCreating", "", 1, terminated(began=None, reason="ContainerStatusUnknown"))), (KILLED,)
        ),
        None,
        [],
    ),
    "a new pod, killed and started again": (None, RECOVERED, [LIVENESS]),
    "an end now, a restart long ago": (
        CRASHED_ONCE,
        Look(pod(ended(1, restarts=1, began=START))),
        [],
    ),
    "an end as the wait begins, a restart long ago": (Look(pod(ended(1, restarts=1, began=START))), None, []),
    "a second end in the wait": (CRASHED_ONCE, Look(pod(ended(1, restarts=2, began=AFTER))), [CRASH]),
    "a second end for too much memory": (
        CRASHED_ONCE,
        Look(pod(ended(137, restarts=2, reason="OOMKilled", began=AFTER))),
        [MEMORY],
    ),
    "started again in the wait, and unready": (CRASHED_ONCE, Look(pod(running(restarts=2, began=AFTER))), [UNREADY]),
    "ends over and over as the wait begins": (Look(pod(waiting(LOOP, "", 9, terminated(1)))), None, [CRASH]),
    "ends over and over for too much memory": (
        Look(pod(waiting(LOOP, "", 9, terminated(reason="OOMKilled")))),
        None,
        [MEMORY],
    ),
    "ended often, ends over and over only later": (
        CRASHED_ONCE,
        Look(pod(waiting(LOOP, "", 2, terminated(1, AFTER)))),
        [CRASH],
    ),
    "a new pod that has ended twice": (None, Look(pod(ended(1, restarts=1))), [CRASH]),
    "a new pod that has ended once": (None, Look(pod(ended(1))), []),
    "its node was started anew, and its image was missing long ago": (
        Look(
            pod(waiting("PodInitializing", "", 1, terminated(255, START, "Unknown"))),
            (event("Failed", NOT_PULLED, last=BEFORE),),
        ),
        None,
        [],
    ),
    "its node was started anew, and its image is missing now": (
        Look(
            pod(waiting("PodInitializing", "", 1, terminated(255, START, "Unknown"))),
            (event("Failed", NOT_PULLED, last=AFTER),),
        ),
        None,
        [PULL],
    ),
    "it has never run, as its image was missing before the wait too": (
        Look(pod(waiting("ContainerCreating")), (event("Failed", NOT_PULLED, last=BEFORE),)),
        None,
        [PULL],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_suspected(case: str) -> None:
    first, later, expected = CASES[case]
    now = later or first
    assert now
    assert found(first, now) == expected


STATES: dict[str, t.Callable[[int], Json]] = {
    "runs": lambda restarts: running(restarts=restarts, began=START),
    "starts": lambda restarts: running(started=False, restarts=restarts, began=START),
    "has ended": lambda restarts: ended(1, restarts, began=START),
    "is held back": lambda restarts: waiting(LOOP, "", restarts, terminated(1, START)),
}


@pytest.mark.parametrize(
    ("state", "probe", "restarts"), list(itertools.product(STATES, ("startup", "liveness"), (1, 2, 50)))
)
def test_what_was_there_before_convicts_only_what_is_not_over(state: str, probe: str, restarts: int) -> None:
    """Whatever the state and however many restarts: of what is old only a container that is held back now is given up at once."""
    old = Look(pod(STATES[state](restarts)), (killed(probe, BEFORE),))
    at_once = [item for item in found(old, old) if item[2] == 0]
    assert at_once == ([CRASH] if state == "is held back" else [])
    # the same in a pod that is newer than the wait, and the same once more within the wait: a cause, at once
    kill = ("probe", probe, 0.0)
    assert found(None, old) == [kill]
    assert found(old, Look(old.pod, (killed(probe, AFTER, version=2),))) == [kill]
    # two more ends within the wait
    assert found(old, Look(pod(ended(1, restarts + 1, began=AFTER)), old.events)) == [CRASH]


NUMBERS: Json = {"wanted": 1, "replicas": 1, "updatedReplicas": 1}


def following(tmp_path: Path, first: Look, later: Look) -> list[str]:
    """The names of the pods that run when a wait is over which begins with `first`, after whose judgement comes `later`."""
    changes = {"pods": later.pod, "deployments": deployment(**NUMBERS, availableReplicas=1)}
    if later.events:
        changes = {"events": later.events[0]}
    with OneRelease(deployment(**NUMBERS), first.pod, first.events, changes) as api:
        return api.followed(tmp_path, PATIENCE)


def test_a_wait_takes_its_first_look_before_it_judges(tmp_path: Path) -> None:
    well = pod(running(ready=True, restarts=1, began=START), ready=True)
    assert following(tmp_path, RECOVERED, Look(well)) == ["web-1"]


def test_a_wait_is_given_up_for_what_comes_after_its_first_look(tmp_path: Path) -> None:
    with pytest.raises(RolloutFailed, match="liveness probe"):
        following(tmp_path, RECOVERED, Look(RECOVERED.pod, (killed("liveness", AFTER, version=2),)))
