# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of a cluster's Secrets and ConfigMaps is not shown, wherever others have copied it to."""

from __future__ import annotations

import base64
import json
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.workload.manifests import labels_of
from tests.integration.asking import kubectl

from .lab import Lab

THEIRS = "fog-on-the-tide"
OURS = "moor-at-dusk"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

pytestmark = pytest.mark.lab


def login(password: str) -> dict[str, str]:
    """The data of a Secret to pull with, as kubectl makes it."""
    pair = base64.b64encode(("ci:" + password).encode()).decode()
    document = {"auths": {"registry.example:5000": {"username": "ci", "password": password, "auth": pair}}}
    return {".dockerconfigjson": base64.b64encode(json.dumps(document).encode()).decode()}


def kubectl_apply(item: dict[str, t.Any]) -> None:
    """By kubectl itself, which keeps a copy of the whole object in an annotation."""
    kubectl("apply", "--filename", "-", data=json.dumps(item))


def test_what_kubectl_notes_of_secrets_and_configuration_is_in_no_difference(release: Lab) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/dockerconfigjson", "data": login(THEIRS)}
    secret["metadata"] = {
        "name": "web-registry",
        "namespace": release.namespace,
        "annotations": {"copied-by-a-controller": THEIRS},
    }
    kubectl_apply(secret)
    # of the release by its labels, and none of its objects: to be removed
    configuration = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"PLAN": THEIRS}}
    configuration["metadata"] = {"name": "web-plan", "namespace": release.namespace, "labels": labels_of("web")}
    kubectl_apply(configuration)
    kept = release.core.read_namespaced_secret("web-registry", release.namespace).metadata.annotations
    assert login(THEIRS)[".dockerconfigjson"] in kept[LAST_APPLIED]

    registry = {"endpoint": "registry.example:5000", "username": "ci", "password": OURS}
    for flags in (["--check", "--diff"], ["--diff"]):
        run = release.deliver(*flags, registry=registry, take_ownership=True)
        assert run.actions["Secret web-registry"] == "updated"
        assert run.actions["ConfigMap web-plan"] == "removed"
        seen = run.output + json.dumps(run.result)
        assert "(secret, changed)" in seen
        assert "copied-by-a-controller" in seen
        for hidden in (THEIRS, OURS, *login(THEIRS).values(), *login(OURS).values(), LAST_APPLIED):
            assert hidden not in seen
