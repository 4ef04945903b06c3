# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is removed, and above all what is not."""

from __future__ import annotations

import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.workload.leftovers import leftovers
from ansible_collections.longshore.delivery.plugins.module_utils.workload.manifests import labels_of

MINE = labels_of("web")


def item(kind: str, name: str, labels: dict[str, str]) -> dict[str, t.Any]:
    return {"kind": kind, "metadata": {"name": name, "labels": labels}}


def revision(config: str, secret: str) -> dict[str, t.Any]:
    sources = [{"configMapRef": {"name": config}}, {"secretRef": {"name": secret}}]
    spec = {"containers": [{"envFrom": sources}], "imagePullSecrets": [{"name": "web-registry"}]}
    return {"spec": {"template": {"spec": spec}}}


def test_what_no_revision_uses_goes_and_the_rest_stays() -> None:
    existing = {
        (kind, name): item(kind, name, labels)
        for kind, name, labels in (
            ("ConfigMap", "web-config-old", MINE),
            ("ConfigMap", "web-config-earlier", MINE),
            ("ConfigMap", "web-config-now", MINE),
            ("Secret", "web-secrets-earlier", MINE),
            ("Secret", "web-registry", MINE),
            ("Service", "web", MINE),
            ("ConfigMap", "web-config-foreign", {**MINE, "app.kubernetes.io/managed-by": "Helm"}),
            ("Secret", "web-secrets-other-release", labels_of("web2")),
            ("Secret", "unlabelled", {}),
        )
    }
    wanted = [item("ConfigMap", "web-config-now", MINE)]
    revisions = [revision("web-config-earlier", "web-secrets-earlier")]
    assert leftovers(existing, wanted, revisions, "web") == [("ConfigMap", "web-config-old"), ("Service", "web")]


def test_the_same_name_of_another_kind_does_not_keep_an_object() -> None:
    existing = {("Service", "web"): item("Service", "web", MINE)}
    assert leftovers(existing, [item("Deployment", "web", MINE)], [], "web") == [("Service", "web")]
