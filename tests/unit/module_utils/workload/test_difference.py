# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""When an object counts as changed, and what of it is shown."""

from __future__ import annotations

import copy
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.workload.difference import differs, shown

MANAGER = "longshore.delivery"
BEFORE: dict[str, t.Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "name": "web",
        "namespace": "shop",
        "uid": "1",
        "resourceVersion": "10",
        "generation": 1,
        "annotations": {"deployment.kubernetes.io/revision": "1", "team": "blue"},
        "managedFields": [
            {"manager": MANAGER, "operation": "Apply", "time": "1", "fieldsV1": {"f:spec": {}}},
            {"manager": "kubelet", "operation": "Update", "subresource": "status", "fieldsV1": {"f:status": {}}},
        ],
    },
    "spec": {"replicas": 3},
    "status": {"readyReplicas": 3},
}


def changed(**paths: t.Any) -> dict[str, t.Any]:
    item = copy.deepcopy(BEFORE)
    for path, value in paths.items():
        *parents, last = path.split("__")
        at = item
        for parent in parents:
            at = at[int(parent)] if isinstance(at, list) else at[parent]
        at[last] = value
    return item


def test_what_others_do_meanwhile_is_no_change() -> None:
    after = changed(
        status={"readyReplicas": 2},
        metadata__resourceVersion="11",
        metadata__generation=2,
        metadata__annotations={"deployment.kubernetes.io/revision": "2", "team": "blue"},
        metadata__managedFields__0__time="2",
        metadata__managedFields__1__fieldsV1={"f:status": {"f:x": {}}},
    )
    assert not differs(BEFORE, after, MANAGER)


@pytest.mark.parametrize(
    "path",
    [
        {"spec": {"replicas": 2}},
        {"metadata__annotations": {}},
        {"metadata__labels": {"a": "b"}},
        {"metadata__managedFields__0__fieldsV1": {}},
        {"metadata__managedFields": []},
    ],
    ids=str,
)
def test_what_we_do_is_one(path: dict[str, t.Any]) -> None:
    assert differs(BEFORE, changed(**path), MANAGER)


def test_the_server_keeps_its_own_to_itself() -> None:
    entry = shown(BEFORE, changed(spec={"replicas": 2}))
    assert entry["before"] == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "annotations": {"team": "blue"}},
        "spec": {"replicas": 3},
    }
    assert entry["after"]["spec"] == {"replicas": 2}
    assert entry["before_header"] == entry["after_header"] == "Deployment web"


def test_a_new_object_has_nothing_before_and_a_removed_one_nothing_after() -> None:
    assert shown(None, BEFORE)["before"] == {}
    assert shown(BEFORE, None)["after"] == {}
    assert shown(BEFORE, None)["before_header"] == "Deployment web"


def test_secrets_show_which_key_changed_and_no_value() -> None:
    def secret(**data: str) -> dict[str, t.Any]:
        return {"kind": "Secret", "metadata": {"name": "s"}, "data": data}

    entry = shown(secret(a="c2FtZQ==", b="b2xk", gone="eA=="), secret(a="c2FtZQ==", b="bmV3", new="eQ=="))
    assert entry["before"]["data"] == {"a": "(secret)", "b": "(secret)", "gone": "(secret)"}
    assert entry["after"]["data"] == {"a": "(secret)", "b": "(secret, changed)", "new": "(secret)"}


COPY = "kubectl.kubernetes.io/last-applied-configuration"


@pytest.mark.parametrize("kind", ["Secret", "ConfigMap", "Deployment"])
def test_kubectls_copy_of_an_object_is_not_shown_and_makes_no_difference(kind: str) -> None:
    """The copy has all of a Secret's data."""
    item = {"kind": kind, "metadata": {"name": "s", "annotations": {COPY: '{"data":{"a":"b2xk"}}', "team": "blue"}}}
    other = {"kind": kind, "metadata": {"name": "s", "annotations": {COPY: '{"data":{"a":"bmV3"}}', "team": "blue"}}}
    assert not differs(item, other, MANAGER)
    for entry in (shown(item, other), shown(item, None), shown(None, other)):
        assert COPY not in str(entry)
        assert "team" in str(entry)


def test_annotations_of_secrets_show_their_names_alone() -> None:
    def secret(**annotations: str) -> dict[str, t.Any]:
        return {"kind": "Secret", "metadata": {"name": "s", "annotations": annotations}}

    before, after = secret(a="same", b="old", gone="x"), secret(a="same", b="new")
    entry = shown(before, after)
    assert entry["before"]["metadata"]["annotations"] == {"a": "(secret)", "b": "(secret)", "gone": "(secret)"}
    assert entry["after"]["metadata"]["annotations"] == {"a": "(secret)", "b": "(secret, changed)"}
    assert before == secret(a="same", b="old", gone="x")
