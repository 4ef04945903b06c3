# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The number of pods of a release that does not say how many. Managed fields are as the API server writes them (1.36)."""

from __future__ import annotations

import copy
import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.workload.apply import (
    carry_out,
    plan_objects,
)
from ansible_collections.longshore.delivery.plugins.module_utils.workload.cluster import FIELD_MANAGER, Cluster
from ansible_collections.longshore.delivery.plugins.module_utils.workload.manifests import manifests
from ansible_collections.longshore.delivery.plugins.module_utils.workload.replicas import keeping_replicas
from tests.http_server import AnsweringServer, Reply, Request, json_reply
from tests.kubeconfig import kubeconfig

from .options import release

Json = dict[str, t.Any]
IMAGES = {"shop/web:1.4": "registry.example:5000/shop/web@sha256:" + "a" * 64}


def wanted(replicas: int | None = None) -> Json:
    *_others, deployment = manifests(release(namespace="shop", replicas=replicas), IMAGES)
    return deployment


def entry(manager: str, operation: str, spec: Json, subresource: str = "") -> Json:
    found: Json = {
        "manager": manager,
        "operation": operation,
        "apiVersion": "autoscaling/v1" if subresource == "scale" else "apps/v1",
        "time": "2026-11-21T15:00:00Z",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": spec},
    }
    return {**found, "subresource": subresource} if subresource else found


OURS: Json = {"f:replicas": {}, "f:selector": {}, "f:strategy": {"f:type": {}}}
OURS_WITHOUT: Json = {"f:selector": {}, "f:strategy": {"f:type": {}}}
REPLICAS: Json = {"f:replicas": {}}
CONTROLLER = {
    **entry("kube-controller-manager", "Update", {}, "status"),
    "fieldsV1": {"f:status": {"f:replicas": {}, "f:readyReplicas": {}}},
}


def live(replicas: int, *entries: Json) -> Json:
    item = wanted()
    item["metadata"] = {**item["metadata"], "uid": "1", "managedFields": [*entries, CONTROLLER]}
    item["spec"] = {**item["spec"], "replicas": replicas}
    return {**item, "status": {"replicas": replicas}}


# what the release says, what the server has, what is sent
CASES: dict[str, tuple[int | None, Json | None, int | None]] = {
    "a new one": (None, None, None),
    "a new one that says": (2, None, 2),
    "ours alone": (None, live(3, entry(FIELD_MANAGER, "Apply", OURS)), 3),
    "ours alone, none": (None, live(0, entry(FIELD_MANAGER, "Apply", OURS)), 0),
    "ours, and another number is said now": (2, live(3, entry(FIELD_MANAGER, "Apply", OURS)), 2),
    "ours, and none is said to run": (0, live(3, entry(FIELD_MANAGER, "Apply", OURS)), 0),
    "ours and another's": (
        None,
        live(3, entry(FIELD_MANAGER, "Apply", OURS), entry("argo", "Apply", REPLICAS)),
        3,
    ),
    "an autoscaler's": (
        None,
        live(
            7,
            entry(FIELD_MANAGER, "Apply", OURS_WITHOUT),
            entry("kube-controller-manager", "Update", REPLICAS, "scale"),
        ),
        None,
    ),
    "another tool's": (
        None,
        live(7, entry(FIELD_MANAGER, "Apply", OURS_WITHOUT), entry("kubectl-edit", "Update", REPLICAS)),
        None,
    ),
    "the server's default, which nobody owns": (None, live(1, entry(FIELD_MANAGER, "Apply", OURS_WITHOUT)), None),
    "all another tool's": (None, live(4, entry("helm", "Apply", OURS)), None),
    "of our name, but not applied": (None, live(4, entry(FIELD_MANAGER, "Update", OURS)), None),
}


@pytest.mark.parametrize("case", CASES)
def test_a_number_that_is_not_said_is_sent_only_where_it_is_ours(case: str) -> None:
    said, found, sent = CASES[case]
    release_says = wanted(said)
    before = copy.deepcopy((release_says, found))
    result = keeping_replicas(release_says, found, FIELD_MANAGER)
    assert result["spec"].get("replicas") == sent
    assert {**result, "spec": {**result["spec"], "replicas": None}} == {
        **wanted(),
        "spec": {**wanted()["spec"], "replicas": None},
    }
    assert (release_says, found) == before


def test_other_objects_are_sent_as_they_are() -> None:
    service: Json = {"kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": []}}
    assert keeping_replicas(service, live(3, entry(FIELD_MANAGER, "Apply", OURS)), FIELD_MANAGER) == service


@pytest.mark.parametrize("case", [case for case, (said, found, _sent) in CASES.items() if found and said is None])
def test_that_is_what_the_server_is_asked_for_in_the_plan_and_then(case: str, tmp_path: Path) -> None:
    _said, found, number = CASES[case]

    def answer(request: Request) -> Reply:
        return json_reply(found if request.method == "GET" else {**json.loads(request.body), "applied": True})

    with AnsweringServer(answer) as api, Cluster(kubeconfig(tmp_path, "http://" + api.endpoint)) as cluster:
        steps = plan_objects(cluster, [wanted()], force=False)
        carry_out(cluster, steps, force=False)
    tried, applied = (request for request in api.requests if request.method == "PATCH")
    assert "dryRun=All" in tried.path
    assert "dryRun" not in applied.path
    for request in (tried, applied):
        assert json.loads(request.body)["spec"].get("replicas") == number
