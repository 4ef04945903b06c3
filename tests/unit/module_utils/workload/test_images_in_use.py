# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a cluster uses images in, and that all of it is asked for."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.workload.cluster_errors import ClusterError
from ansible_collections.longshore.delivery.plugins.module_utils.workload.images_in_use import images_in_use, named_in
from tests.kubeconfig import kubeconfig
from tests.unit.module_utils.registry.pruning import Lists

PLACES = {
    "pods": "/api/v1/pods",
    "replicationcontrollers": "/api/v1/replicationcontrollers",
    "deployments": "/apis/apps/v1/deployments",
    "replicasets": "/apis/apps/v1/replicasets",
    "statefulsets": "/apis/apps/v1/statefulsets",
    "daemonsets": "/apis/apps/v1/daemonsets",
    "controllerrevisions": "/apis/apps/v1/controllerrevisions",
    "jobs": "/apis/batch/v1/jobs",
    "cronjobs": "/apis/batch/v1/cronjobs",
}


@pytest.fixture
def cluster() -> t.Iterator[Lists]:
    with Lists() as running:
        yield running


def used(cluster: Lists, directory: Path) -> dict[str, list[str]]:
    who, images = images_in_use(kubeconfig(directory, "http://" + cluster.endpoint), None)
    assert who == f"the cluster at http://{cluster.endpoint}"
    return {image: list(users) for image, users in images.items()}


def test_all_that_pods_are_made_from_is_asked_for_in_all_namespaces(cluster: Lists, tmp_path: Path) -> None:
    for kind in PLACES:
        cluster.add(kind, "web", f"shop/{kind}:1")
        cluster.add(kind, "web-too", "shop/web:1")
    found = used(cluster, tmp_path)
    assert set(found) == {f"shop/{kind}:1" for kind in PLACES} | {"shop/web:1"}
    assert found["shop/cronjobs:1"] == ["CronJob shop/web"]
    assert len(found["shop/web:1"]) == len(PLACES)
    assert sorted(request.path.partition("?")[0] for request in cluster.requests) == sorted(PLACES.values())


def test_a_long_list_is_read_page_by_page(cluster: Lists, tmp_path: Path) -> None:
    cluster.most = 2
    for number in range(5):
        cluster.add("pods", f"web-{number}", f"shop/web:{number}")
    assert list(used(cluster, tmp_path)) == [f"shop/web:{number}" for number in range(5)]
    assert len([request for request in cluster.requests if "/pods" in request.path]) == 3


@pytest.mark.parametrize("kind", PLACES)
def test_what_cannot_be_asked_for_is_said(cluster: Lists, tmp_path: Path, kind: str) -> None:
    cluster.refused.add(kind)
    with pytest.raises(ClusterError, match=f"{kind} is forbidden"):
        used(cluster, tmp_path)


def test_an_image_is_seen_wherever_it_is_named() -> None:
    spec = {
        "containers": [{"image": "a"}],
        "initContainers": [{"image": "b"}],
        "ephemeralContainers": [{"image": "c"}],
        "volumes": [{"name": "v", "image": {"reference": "d", "pullPolicy": "Always"}}],
    }
    status = {
        "containerStatuses": [{"image": "e", "imageID": "f"}],
        "initContainerStatuses": [{"image": "g", "imageID": ""}],
    }
    assert list(named_in({"spec": spec, "status": status})) == ["a", "b", "c", "d", "e", "f", "g"]
    cron_job = {"spec": {"jobTemplate": {"spec": {"template": {"spec": spec}}}}}
    revision = {"data": {"spec": {"template": {"$patch": "replace", "spec": spec}}}}
    assert list(named_in(cron_job)) == list(named_in(revision)) == ["a", "b", "c", "d"]
