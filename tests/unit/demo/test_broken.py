# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How soon a broken version was given up, from what the API server says of its pods."""

from __future__ import annotations

import datetime
import typing as t
from pathlib import Path

import pytest

from tests.demo.broken import BROKEN, seconds_after_cause
from tests.demo.cluster import Cluster
from tests.demo.delivery import Delivery
from tests.demo.settings import Settings

from .conftest import ApiServer

SIGNS = {broken.name: broken.sign for broken in BROKEN}
START = datetime.datetime(2026, 5, 1, 12, 0, tzinfo=datetime.timezone.utc)


def at(seconds: int) -> str:
    return (START + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def owned(name: str, kind: str, owner: str, **metadata: t.Any) -> dict[str, t.Any]:
    reference = {"apiVersion": "apps/v1", "kind": kind, "name": owner, "uid": f"uid-{owner}"}
    return {"metadata": {"name": name, "uid": f"uid-{name}", "ownerReferences": [reference], **metadata}}


def pod(name: str, owner: str, made: int) -> dict[str, t.Any]:
    return {**owned(name, "ReplicaSet", owner, creationTimestamp=at(made)), "spec": {"containers": []}, "status": {}}


def replica_set(name: str, revision: int, deployment: str = "web") -> dict[str, t.Any]:
    annotations = {"deployment.kubernetes.io/revision": str(revision)}
    return {**owned(name, "Deployment", deployment, annotations=annotations), "spec": {"selector": {}}}


def event(reason: str, seconds: int, container: str = "web", message: str = "") -> dict[str, t.Any]:
    return {
        "metadata": {"name": "some", "namespace": "shop"},
        "involvedObject": {"kind": "Pod", "fieldPath": f"spec.containers{{{container}}}"},
        "reason": reason,
        "message": message,
        "firstTimestamp": at(seconds),
        "lastTimestamp": at(seconds + 100),
    }


@pytest.fixture
def cluster(api: ApiServer, tmp_path: Path) -> Cluster:
    """Revision 10 is the newest, of two pods; an earlier one and another Deployment have some as well."""
    sets = [replica_set("new", 10), replica_set("old", 9), replica_set("other", 11, "database")]
    pods = [pod("a", "new", 20), pod("b", "new", 21), pod("c", "old", 1), pod("d", "other", 2)]
    api.answers["/apis/apps/v1/namespaces/shop/replicasets"] = {"items": sets}
    api.answers["/api/v1/namespaces/shop/pods"] = {"items": pods}
    for name in "abcd":
        of_pod(api, name)
    return Cluster(Settings((), api.kubeconfig, None, tmp_path, {}))


def of_pod(api: ApiServer, name: str, *events: dict[str, t.Any]) -> None:
    api.answers[f"/api/v1/namespaces/shop/events?fieldSelector=involvedObject.uid%3Duid-{name}"] = {"items": [*events]}


def test_a_crash_shows_from_the_first_start_of_its_container(api: ApiServer, cluster: Cluster) -> None:
    of_pod(api, "a", event("Started", 25, "shipper"), event("Pulled", 24), event("Started", 28))
    of_pod(api, "b", event("Started", 27))
    of_pod(api, "c", event("Started", 3))
    assert SIGNS["crash"] is not None
    assert cluster.first_seen(SIGNS["crash"]) == START.timestamp() + 27


def test_a_failed_startup_probe_is_no_failed_readiness_probe(api: ApiServer, cluster: Cluster) -> None:
    early = event("Unhealthy", 30, message="Startup probe failed: command timed out")
    of_pod(api, "a", early, event("Unhealthy", 33, message="Readiness probe failed: HTTP probe failed: 503"))
    of_pod(api, "b", event("Unhealthy", 40, message="Readiness probe failed: HTTP probe failed: 503"))
    api.answers["/api/v1/namespaces/shop/pods"] = {"items": [pod("a", "new", 20)]}
    assert SIGNS["readiness"] is not None
    assert cluster.first_seen(SIGNS["readiness"]) == START.timestamp() + 33


def test_without_the_event_it_is_no_sooner_than_the_pod(api: ApiServer, cluster: Cluster) -> None:
    assert SIGNS["crash"] is not None
    assert cluster.first_seen(SIGNS["crash"]) == START.timestamp() + 20
    api.answers["/api/v1/namespaces/shop/pods"] = {"items": []}
    assert cluster.first_seen(SIGNS["crash"]) is None


def test_seconds_are_counted_to_the_end_of_the_playbook() -> None:
    run = Delivery(2, 15.0, 1000.5, 1015.5, "", {})
    assert seconds_after_cause(run, 1004.0) == 11.5
    assert seconds_after_cause(run, 1000.0) == 15.5  # the same second, cut off
    assert seconds_after_cause(run, 900.0) is None
    assert seconds_after_cause(run, 1016.0) is None
    assert seconds_after_cause(run, None) is None
