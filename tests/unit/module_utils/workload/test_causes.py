# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read in pods and events. The texts are those of kubelet, containerd 1.7 and 2.2, CRI-O 1.36 and the scheduler."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.workload.causes import first_words, suspicions
from ansible_collections.longshore.delivery.plugins.module_utils.workload.first_look import FirstLook
from ansible_collections.longshore.delivery.plugins.module_utils.workload.observed import event_state, pod_state
from ansible_collections.longshore.delivery.plugins.module_utils.workload.suspicion import Patience, Suspicion

from .documents import ended, event, pod, running, waiting

PATIENCE = Patience(ready=15, schedule=10, missing=9, setup=30, pull=10)
IMAGE = "registry.example:5000/shop/web@sha256:" + "a" * 64
NOT_FOUND = 'failed to pull and unpack image "%s": failed to resolve image: %s: not found' % (IMAGE, IMAGE)
REFUSED = (
    'failed to pull and unpack image "%s": failed to resolve image: failed to do request: Head '
    '"https://registry.example:5000/v2/shop/web/manifests/x": dial tcp 10.90.0.20:5000: connect: connection refused'
    % IMAGE
)
NO_PROGRAM = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to "
    'start container process: exec: "/bin/nonesuch": stat /bin/nonesuch: no such file or directory'
)
NO_PROGRAM_CRIO = (
    'container create failed: time="2026-11-21T15:04:37Z" level=error msg="runc create failed: unable to start container '
    'process: exec: \\"/bin/nonesuch\\": stat /bin/nonesuch: no such file or directory"\n'
)
NOT_ROOT = 'container\'s runAsUser breaks non-root policy (pod: "web-1_shop(0)", container: web)'
SCHEDULER = (
    "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. no new claims to deallocate, preemption: "
    "0/3 nodes are available: 3 Preemption is not helpful for scheduling."
)
SANDBOX = 'Failed to create pod sandbox: rpc error: code = Unknown desc = plugin type="bridge" failed (add): no addresses left'


def of(document: dict[str, t.Any], *events: dict[str, t.Any]) -> list[Suspicion]:
    """What is found in a pod that was made after the wait had begun."""
    return suspicions([pod_state(document)], [event_state(item) for item in events], PATIENCE, FirstLook())


CASES: dict[str, tuple[dict[str, t.Any], tuple[dict[str, t.Any], ...], str, str, float, tuple[str, ...]]] = {
    "pull, at the first try": (
        pod(waiting("ErrImagePull", NOT_FOUND)),
        (),
        *("pull", "not_found", 0.0),
        ("cannot have its image " + IMAGE, "does not have this image", NOT_FOUND),
    ),
    "pull, later: the kubelet's first words": (
        pod(waiting("ImagePullBackOff", 'Back-off pulling image "%s": ErrImagePull: %s' % (IMAGE, NOT_FOUND))),
        (),
        *("pull", "not_found", 0.0),
        ("says: failed to pull and unpack",),
    ),
    "pull, later, of a kubelet that keeps them in its events": (
        pod(waiting("ImagePullBackOff", 'Back-off pulling image "%s"' % IMAGE)),
        (event("Failed", 'Failed to pull image "%s": %s' % (IMAGE, NOT_FOUND)), event("Failed", "Error: ErrImagePull")),
        *("pull", "not_found", 0.0),
        ("says: failed to pull and unpack",),
    ),
    "pull, before the status tells": (
        pod(waiting("ContainerCreating")),
        (event("Failed", 'Failed to pull image "%s": %s' % (IMAGE, NOT_FOUND)), event("Failed", "Error: ErrImagePull")),
        *("pull", "not_found", 0.0),
        ("says: failed to pull and unpack",),
    ),
    "pull, a registry that may come back": (
        pod(waiting("ErrImagePull", REFUSED)),
        (),
        *("pull", "refused", 10.0),
        ("does not reach the registry",),
    ),
    "crash, over and over": (
        pod(waiting("CrashLoopBackOff", "back-off 10s restarting failed container", 3, {"exitCode": 78})),
        (),
        *("crash", "", 0.0),
        ("has ended 4 times, last with exit code 78",),
    ),
    "crash, the second": (
        pod(ended(139, restarts=1)),
        (),
        *("crash", "", 0.0),
        ("has ended twice, last with exit code 139 (SIGSEGV)",),
    ),
    "an end with success": (pod(ended(0, restarts=1, reason="Completed")), (), "crash", "", 0.0, ("exit code 0",)),
    "memory": (
        pod(ended(137, restarts=1, reason="OOMKilled")),
        (),
        *("memory", "", 0.0),
        ("was killed twice", "its limit (16Mi)"),
    ),
    "a program that is not there, containerd": (
        pod(
            waiting(
                "RunContainerError", NO_PROGRAM, 0, {"exitCode": 128, "reason": "StartError", "message": NO_PROGRAM}
            )
        ),
        (),
        *("start", "", 0.0),
        ("cannot be started: failed to create", "/bin/nonesuch"),
    ),
    "a program that is not there, CRI-O": (
        pod(waiting("CreateContainerError", NO_PROGRAM_CRIO)),
        (),
        *("start", "", 0.0),
        ("cannot be started: container create failed", "/bin/nonesuch"),
    ),
    "a program that is not there, before the status tells": (
        pod(waiting("PodInitializing")),
        (event("Failed", "Error: " + NO_PROGRAM_CRIO),),
        *("start", "", 0.0),
        ("cannot be started: container create failed",),
    ),
    "a user that may not be root": (
        pod(waiting("CreateContainerConfigError", NOT_ROOT)),
        (),
        *("configuration", "", 0.0),
        ("may not run as root", NOT_ROOT),
    ),
    "a Secret that is not there": (
        pod(waiting("CreateContainerConfigError", 'secret "db" not found')),
        (),
        *("configuration", "", 9.0),
        ('needs what is not there: secret "db" not found',),
    ),
    "a runtime's fault, which may pass": (
        pod(waiting("CreateContainerError", "context deadline exceeded")),
        (),
        *("configuration", "", 30.0),
        ("cannot be created: context deadline exceeded",),
    ),
    "a startup probe": (
        pod(running(started=False)),
        (
            event("Unhealthy", "Startup probe failed: dial tcp 10.91.2.5:8080: connect: connection refused"),
            event("Killing", "Container web failed startup probe, will be restarted"),
        ),
        *("probe", "startup", 0.0),
        ("was stopped by the kubelet because its startup probe", "connect: connection refused"),
    ),
    "a liveness probe": (
        pod(running(started=True)),
        (
            event("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500"),
            event("Killing", "Container web failed liveness probe, will be restarted"),
        ),
        *("probe", "liveness", 0.0),
        ("its liveness probe", "statuscode: 500"),
    ),
    "a readiness probe": (
        pod(running()),
        (
            event(
                "Unhealthy",
                "Readiness probe failed: HTTP probe failed with statuscode: 503",
                last="2026-11-21T15:00:09Z",
            ),
            event("Unhealthy", "Readiness probe failed: dial tcp 10.91.2.5:8080: connect: connection refused"),
        ),
        *("probe", "readiness", 15.0),
        (
            "runs, and its readiness probe (GET /ready on port http) has not passed for 15 s: ",
            "15 s: HTTP probe failed with statuscode: 503",
        ),
    ),
    "a readiness probe that is slow by itself": (
        pod(running(), readiness={"initialDelaySeconds": 30, "periodSeconds": 10}),
        (),
        *("probe", "readiness", 41.0),
        ("has not passed for 41 s",),
    ),
    "no node": (
        pod(scheduled="False", scheduling=SCHEDULER),
        (),
        *("unschedulable", "", 10.0),
        ("no node takes it: 0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu",),
    ),
    "no sandbox": (
        pod(waiting("ContainerCreating"), waiting("PodInitializing")),
        (event("FailedCreatePodSandBox", SANDBOX, container=""),),
        *("setup", "", 30.0),
        ("the node cannot prepare it (FailedCreatePodSandBox)", "no addresses left"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_cause(case: str) -> None:
    document, events, kind, detail, patience, words = CASES[case]
    [found] = of(document, *events)
    assert (found.cause.kind, found.cause.detail, found.patience) == (kind, detail, patience)
    assert not [word for word in words if word not in found.cause.text], found.cause.text
    assert found.cause.pod == "web-1"
    assert found.cause.remedy
    assert "\n" not in found.cause.text


@pytest.mark.parametrize(
    "document",
    [
        pod(waiting("ContainerCreating")),
        pod(running(started=False)),
        pod(running(ready=True), ready=True),
        pod(running(ready=True)),
        pod(ended(1)),
        pod(running(started=False, restarts=1)),
        pod(waiting("ErrImagePull", NOT_FOUND), deleting=True),
        pod(waiting("ErrImagePull", NOT_FOUND), phase="Failed"),
        pod(scheduled="Unknown"),
    ],
    ids=[
        *("being created", "starting", "ready", "ready but for the pod", "ended once", "started again"),
        *("being deleted", "evicted", "not looked at by the scheduler"),
    ],
)
def test_nothing_is_the_matter(document: dict[str, t.Any]) -> None:
    assert of(document) == []


def test_events_of_other_pods_and_containers_do_not_count() -> None:
    said = "Container web failed startup probe, will be restarted"
    assert of(pod(running(started=False)), event("Killing", said, of="web-0")) == []
    [found] = of(pod(running(started=False), running()), event("Killing", said, "shipper"))
    assert found.cause.container == "shipper"


def test_a_sidecar_is_called_one() -> None:
    [found] = of(pod(waiting("PodInitializing"), waiting("ErrImagePull", NOT_FOUND)))
    assert (found.cause.container, found.cause.sidecar) == ("shipper", True)


def test_the_same_matter_has_the_same_key_by_status_and_by_event_and_a_new_start_another() -> None:
    [early] = of(pod(waiting("ContainerCreating")), event("Failed", 'Failed to pull image "x": %s' % REFUSED))
    [late] = of(pod(waiting("ImagePullBackOff", REFUSED)))
    assert early.key == late.key
    [first], [again] = of(pod(running())), of(pod(running(restarts=1)))
    assert first.key != again.key


@pytest.mark.parametrize(
    ("document", "events", "log"),
    [
        (pod(waiting("CrashLoopBackOff", "", 1, {"exitCode": 1})), (), "present"),
        (pod(running()), (), "present"),
        (pod(running(started=False)), ("startup",), "present"),
        (pod(running(started=False, restarts=1)), ("startup",), "previous"),
        (pod(waiting("ErrImagePull", NOT_FOUND)), (), ""),
    ],
)
def test_whose_log_tells_more(document: dict[str, t.Any], events: tuple[str, ...], log: str) -> None:
    said = [event("Killing", "Container web failed %s probe, will be restarted" % name) for name in events]
    [found] = of(document, *said)
    assert found.cause.logs == log


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ('Back-off pulling image "a:1": ErrImagePull: rpc error: not found', "rpc error: not found"),
        ('Back-off pulling image "a:1": RegistryUnavailable: down', "down"),
        ('Back-off pulling image "a:1"', ""),
        ("rpc error: not found", "rpc error: not found"),
    ],
)
def test_first_words(message: str, words: str) -> None:
    assert first_words(message) == words


@pytest.mark.parametrize("by_event", [False, True])
def test_what_an_image_is_called_is_no_cause(by_event: bool) -> None:
    said = "failed to resolve image: registry.example/denied/not-found: unexpected EOF"
    document = pod(waiting("ContainerCreating" if by_event else "ErrImagePull", "" if by_event else said))
    document["spec"]["containers"][0]["image"] = "registry.example/denied/not-found:401"
    events = (
        [event("Failed", f'Failed to pull image "registry.example/denied/not-found:401": {said}')] if by_event else []
    )
    [found] = of(document, *events)
    assert found.cause.detail == "other"
