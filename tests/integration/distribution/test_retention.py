# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""registry_prune with the lab's registry, cluster and an engine: what could be rolled back to, runs later or is held stays."""

from __future__ import annotations

import contextlib
import datetime
import json
import re
import typing as t
import uuid

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Context
from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.image import image_info
from ansible_collections.longshore.delivery.plugins.module_utils.running import run_command
from ansible_collections.longshore.delivery.plugins.module_utils.workload.images_in_use import images_in_use
from tests import returned
from tests.integration.asking import eventually, in_cluster, kubectl
from tests.unit.module_utils.image.making import Made, image, index, push

from .lab import BUILDS, ENDPOINT, PLACES, Builder

pytestmark = [pytest.mark.lab, pytest.mark.wide]

LOOK = {name: option.get("default") for name, option in image_info.CAPABILITY.argument_spec.items()}
NOWHERE = {"longshore.example/nowhere": "true"}
ANYONE = {"matchLabels": {"app": "x"}}
TAGS = [
    "deployment-1",
    "deployment-2",
    "stateful-1",
    "stateful-2",
    "daemon-1",
    "daemon-2",
    "job",
    "cronjob",
    "pod",
    "engine",
    "old-1",
    "old-2",
]


@pytest.fixture
def namespace() -> t.Iterator[str]:
    name = f"longshore-test-retention-{uuid.uuid4().hex[:8]}"
    kubectl("create", "namespace", name)
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


def template(reference: str, **spec: t.Any) -> dict[str, t.Any]:
    """A pod that no node takes."""
    pod = {"containers": [{"name": "x", "image": reference}], "nodeSelector": NOWHERE, **spec}
    return {"metadata": {"labels": {"app": "x"}}, "spec": pod}


def apply(namespace: str, kind: str, version: str, spec: dict[str, t.Any]) -> None:
    document = {"apiVersion": version, "kind": kind, "metadata": {"name": "x", "namespace": namespace}, "spec": spec}
    kubectl("apply", "-f", "-", data=json.dumps(document))


def has_revisions(namespace: str, number: int) -> None:
    """Wait until each of them has so many."""

    def are_there() -> bool:
        found = {
            kind: len(in_cluster("get", kind, "-n", namespace)["items"])
            for kind in ("replicasets", "controllerrevisions")
        }
        return found == {"replicasets": number, "controllerrevisions": 2 * number}

    eventually(are_there)


def deploy(namespace: str, named: t.Mapping[str, str]) -> None:
    """All that pods are made from; what has revisions has two, and no pods."""
    for number in ("1", "2"):
        common = {"selector": ANYONE, "replicas": 0}
        apply(namespace, "Deployment", "apps/v1", {**common, "template": template(named[f"deployment-{number}"])})
        stateful = {**common, "serviceName": "x", "template": template(named[f"stateful-{number}"])}
        apply(namespace, "StatefulSet", "apps/v1", stateful)
        daemon = {"selector": ANYONE, "template": template(named[f"daemon-{number}"])}
        apply(namespace, "DaemonSet", "apps/v1", daemon)
        has_revisions(namespace, int(number))
    apply(namespace, "Job", "batch/v1", {"suspend": True, "template": template(named["job"], restartPolicy="Never")})
    job = {"spec": {"template": template(named["cronjob"], restartPolicy="Never")}}
    apply(namespace, "CronJob", "batch/v1", {"schedule": "0 0 1 1 *", "suspend": True, "jobTemplate": job})
    apply(namespace, "Pod", "v1", template(named["pod"])["spec"])


def test_what_is_used_by_anybody_stays_and_all_else_goes(builder: Builder, namespace: str) -> None:
    old = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    salt, made = uuid.uuid4().hex, dict[str, Made]()
    for tag in TAGS:
        one = image(f"{salt} {tag}", created=old)
        made[tag] = index({"linux/amd64": one, "linux/arm64": image(f"{salt} {tag} arm64", created=old)})
        push(builder.client, builder.repository, made[tag], tag)
        builder.manifests |= {
            (builder.repository, ManifestDigest.parse(digest)) for digest in (made[tag].digest, *made[tag].manifests)
        }
    # some by the digest of one platform, some by their tag
    named = {tag: f"{ENDPOINT}/{builder.repository}@{made[tag].digest}" for tag in TAGS}
    named["stateful-1"] = f"{ENDPOINT}/{builder.repository}@{next(iter(made['stateful-1'].manifests))}"
    named["cronjob"] = f"registry.by.another.name:5000/{builder.repository}:cronjob"
    deploy(namespace, named)
    builder.engine.login(**{key: builder.registry[key] for key in ("username", "password")}, registry=ENDPOINT)
    pulled = builder.engine.images.pull(f"{ENDPOINT}/{builder.repository}", tag="engine")

    def prune(check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        context = Context(check, True, pytest.fail, lambda line: None, run_command)
        given = {
            "registry": builder.registry,
            "rules": [{"repositories": [builder.repository], "keep_newest": 0, "keep_matching": ["stable"]}],
            "cluster": "required",
            "kubeconfig": str(PLACES.kubeconfig),
            "kube_context": None,
            "in_use": {"dock": returned.run("image_info", {**LOOK, **BUILDS}, context)["images"]},
            "timeout": 10,
            **options,
        }
        return returned.run("registry_prune", given, context)

    def there(tag: str) -> list[bool]:
        digests = (made[tag].digest, *made[tag].manifests)
        return [builder.client.head_manifest(builder.repository, digest) is not None for digest in digests]

    try:
        foretold = prune(check=True)
        assert all(there(tag) == [True] * 3 for tag in TAGS)
        assert prune() == foretold
    finally:
        with contextlib.suppress(Exception):
            builder.engine.images.remove(pulled.id, force=True)
    gone = {tag for tag in TAGS if there(tag) == [False] * 3}
    assert gone == {"old-1", "old-2"}
    assert all(there(tag) == [True] * 3 for tag in set(TAGS) - gone)
    assert {one["digest"] for one in foretold["removed"]} == {
        digest for tag in gone for digest in (made[tag].digest, *made[tag].manifests)
    }
    why = {one["tags"][0]: " ".join(one["why"]) for one in foretold["kept"]}
    for tag, kind in {
        "deployment-1": "ReplicaSet",
        "deployment-2": "Deployment",
        "stateful-1": "ControllerRevision",
        "daemon-1": "ControllerRevision",
        "job": "Job",
        "cronjob": "CronJob",
        "pod": "Pod",
    }.items():
        assert f"in use by {kind} {namespace}/" in why[tag]
    assert why["engine"] == "in use by dock"
    assert foretold["bytes_freed"] == sum(
        len(data)
        for tag in gone
        for data in (
            made[tag].body,
            *(body for _type, body in made[tag].manifests.values()),
            *made[tag].blobs.values(),
        )
    )
    # what is used no more goes the next time
    kubectl("delete", "cronjob", "x", "-n", namespace)
    assert {one["tags"][0] for one in prune()["removed"] if one["tags"]} == {"cronjob", "engine"}


def test_what_really_runs_is_seen_by_the_digests_of_the_nodes() -> None:
    """As each node's runtime calls it, containerd and CRI-O."""
    _who, images = images_in_use(str(PLACES.kubeconfig), None)
    digests = {found for name in images for found in re.findall("sha256:[0-9a-f]{64}", name)}
    running = {
        status["imageID"]
        for pod in in_cluster("get", "pods", "--all-namespaces")["items"]
        for status in pod["status"].get("containerStatuses", ())
        if status.get("imageID")
    }
    assert running
    for image_id in running:
        assert {*re.findall("sha256:[0-9a-f]{64}", image_id)} <= digests
        assert image_id in images
