# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The objects that a release becomes."""

from __future__ import annotations

import base64
import hashlib
import json
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.workload.manifests import (
    RELEASE_LABEL,
    manifests,
    secrets_name,
)

from .options import release

PINNED = "registry.example:5000/shop/web@sha256:" + "a" * 64
IMAGES = {"shop/web:1.4": PINNED, "shop/shipper:1.0": "registry.example:5000/shop/shipper@sha256:" + "b" * 64}
FULL: dict[str, t.Any] = {
    "namespace": "shop",
    "replicas": 3,
    "ports": [{"name": "http", "port": 8080}],
    "probes": {
        "startup": {"exec": ["python", "-m", "shop", "check"]},
        "ready": {"http": {"path": "/ready", "headers": {"X-Probe": "kubelet"}}, "period": 2},
        "live": {"tcp": "http"},
    },
    "config": {"LOG_LEVEL": "info"},
    "secrets": {"DB_PASSWORD": "tide-and-time"},
    "registry": {"endpoint": "registry.example:5000", "username": "ci", "password": "hunter2"},
    "sidecars": [{"name": "shipper", "image": "shop/shipper:1.0", "env": {"INTERVAL": 15}, "run_as_user": 10002}],
    "env": {"TZ": "UTC"},
    "resources": {"requests": {"cpu": 1, "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
}


def objects(**options: t.Any) -> dict[str, dict[str, t.Any]]:
    made = manifests(release(**{**FULL, **options}), IMAGES)
    keyed = {"%s %s" % (item["kind"], item["metadata"]["name"]): item for item in made}
    assert len(keyed) == len(made)
    return keyed


def pod(**options: t.Any) -> dict[str, t.Any]:
    spec: dict[str, t.Any] = objects(**options)["Deployment web"]["spec"]["template"]["spec"]
    return spec


def test_what_is_applied_last_is_what_needs_the_rest() -> None:
    kinds = [name.split()[0] for name in objects()]
    assert kinds == ["ConfigMap", "Secret", "Secret", "Service", "Deployment"]


def test_all_objects_carry_the_releases_label_and_namespace() -> None:
    for item in objects().values():
        assert item["metadata"]["namespace"] == "shop"
        assert item["metadata"]["labels"][RELEASE_LABEL] == "web"


def test_the_pods_run_the_pinned_images() -> None:
    made = pod()
    assert made["containers"][0]["image"] == PINNED
    assert made["initContainers"][0]["image"] == IMAGES["shop/shipper:1.0"]


def test_the_service_finds_the_pods_and_their_port() -> None:
    made = objects()
    service, template = made["Service web"]["spec"], made["Deployment web"]["spec"]["template"]
    assert service["selector"].items() <= template["metadata"]["labels"].items()
    assert made["Deployment web"]["spec"]["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    assert service["ports"] == [{"name": "http", "port": 8080, "targetPort": "http", "protocol": "TCP"}]
    assert template["spec"]["containers"][0]["ports"] == [{"name": "http", "containerPort": 8080, "protocol": "TCP"}]


def test_probes_as_kubernetes_takes_them() -> None:
    main = pod()["containers"][0]
    assert main["startupProbe"] == {
        "exec": {"command": ["python", "-m", "shop", "check"]},
        "periodSeconds": 1,
        "timeoutSeconds": 1,
        "failureThreshold": 60,
    }
    assert main["readinessProbe"]["httpGet"] == {
        "path": "/ready",
        "port": "http",
        "scheme": "HTTP",
        "httpHeaders": [{"name": "X-Probe", "value": "kubelet"}],
    }
    assert main["readinessProbe"]["periodSeconds"] == 2
    assert main["livenessProbe"]["tcpSocket"] == {"port": "http"}


def test_no_request_is_lost_and_no_pod_missed_during_a_rollout() -> None:
    made = objects()["Deployment web"]["spec"]
    assert made["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    spec = made["template"]["spec"]
    assert spec["containers"][0]["lifecycle"] == {"preStop": {"sleep": {"seconds": 5}}}
    assert spec["terminationGracePeriodSeconds"] == 35


def test_safe_defaults() -> None:
    spec = pod()
    assert spec["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    for container in (*spec["containers"], *spec["initContainers"]):
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert spec["initContainers"][0]["securityContext"]["runAsUser"] == 10002
    assert "runAsUser" not in spec["containers"][0]["securityContext"]
    assert "runAsNonRoot" not in pod(run_as_root=True)["securityContext"]


def test_sidecars_are_native() -> None:
    sidecar = pod()["initContainers"][0]
    assert sidecar["restartPolicy"] == "Always"
    assert sidecar["env"] == [{"name": "INTERVAL", "value": "15"}]


def test_the_number_of_pods_is_left_alone_where_it_is_not_given() -> None:
    assert objects()["Deployment web"]["spec"]["replicas"] == 3
    assert "replicas" not in objects(replicas=None)["Deployment web"]["spec"]
    assert objects(replicas=0)["Deployment web"]["spec"]["replicas"] == 0


@pytest.mark.parametrize(
    ("option", "kind"),
    [({"config": {"LOG_LEVEL": "debug"}}, "ConfigMap"), ({"secrets": {"DB_PASSWORD": "x"}}, "Secret")],
)
def test_another_content_is_another_immutable_object_and_other_pods(option: dict[str, t.Any], kind: str) -> None:
    before, after = objects(), objects(**option)
    [new] = set(after) - set(before)
    assert new.startswith(kind)
    assert after[new]["immutable"] is True
    sources = after["Deployment web"]["spec"]["template"]["spec"]["containers"][0]["envFrom"]
    assert new.split()[1] in json.dumps(sources)


def test_another_registry_password_replaces_no_pod() -> None:
    before = objects()
    after = objects(registry={**FULL["registry"], "password": "other"})
    assert before["Deployment web"] == after["Deployment web"]
    assert before["Secret web-registry"] != after["Secret web-registry"]


def test_the_pull_secret_is_what_a_kubelet_reads() -> None:
    item = objects()["Secret web-registry"]
    assert item["type"] == "kubernetes.io/dockerconfigjson"
    document = json.loads(base64.b64decode(item["data"][".dockerconfigjson"]))
    entry = document["auths"]["registry.example:5000"]
    assert (entry["username"], entry["password"]) == ("ci", "hunter2")
    assert base64.b64decode(entry["auth"]) == b"ci:hunter2"
    assert pod()["imagePullSecrets"] == [{"name": "web-registry"}]


def test_secrets_are_nowhere_but_in_secrets() -> None:
    others = [item for item in objects().values() if item["kind"] != "Secret"]
    for secret in ("tide-and-time", "hunter2"):
        assert secret not in json.dumps(others)
        assert base64.b64encode(secret.encode()).decode() not in json.dumps(others)


def test_a_secrets_name_depends_on_its_place_and_is_no_quick_hash() -> None:
    here, there = release(**FULL), release(**{**FULL, "namespace": "other"})
    name = secrets_name(here)
    assert name is not None
    assert name == secrets_name(release(**FULL))
    assert name != secrets_name(there)
    quick = hashlib.sha256(json.dumps(dict(here.secrets), sort_keys=True).encode()).hexdigest()
    assert not name.endswith(quick[:10])


def test_nothing_that_was_not_asked_for() -> None:
    made = manifests(release(), IMAGES)
    assert [item["kind"] for item in made] == ["Deployment"]
    spec = made[0]["spec"]["template"]["spec"]
    for field in ("imagePullSecrets", "initContainers"):
        assert field not in spec
    for field in ("ports", "env", "envFrom", "lifecycle", "command", "args", "resources", "readinessProbe"):
        assert field not in spec["containers"][0]
