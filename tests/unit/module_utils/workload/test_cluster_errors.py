# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Errors of the API server, as 1.36 words them, and of the way to it."""

from __future__ import annotations

import contextlib
import socket
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.workload.cluster import Cluster
from ansible_collections.longshore.delivery.plugins.module_utils.workload.cluster_errors import ApiFault, ClusterError
from tests.kubeconfig import kubeconfig

from .servers import server


def fault(status: int, message: str, reason: str = "", **details: t.Any) -> ApiFault:
    document = {"message": message, "reason": reason, "details": details}
    return ApiFault("https://c.example:6443", "Deployment web", status, document)


CONFLICT = [
    {"reason": "FieldManagerConflict", "message": 'conflict with "kubectl" using apps/v1', "field": ".spec.replicas"},
    {
        "reason": "FieldManagerConflict",
        "message": 'conflict with "hpa" with subresource "scale" using apps/v1',
        "field": ".spec.x",
    },
    {"reason": "FieldManagerConflict", "message": 'conflict with "kubectl" using apps/v1', "field": ".spec.strategy"},
]


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (fault(401, "Unauthorized"), ("https://c.example:6443", "credentials", "kube_context")),
        (
            fault(403, 'User "ci" cannot get resource "deployments"', "Forbidden"),
            ("Deployment web", "cannot get", "RoleBinding"),
        ),
        (
            fault(403, "being terminated", "Forbidden", causes=[{"reason": "NamespaceTerminating"}]),
            ("namespace is being deleted", "Wait"),
        ),
        (
            fault(404, 'namespaces "shop" not found', "NotFound"),
            ("the namespace shop does not exist", "create_namespace: true"),
        ),
        (
            fault(409, "Apply failed", "Conflict", causes=CONFLICT),
            ("kubectl has .spec.replicas, .spec.strategy; hpa has .spec.x", "take_ownership: true"),
        ),
        (
            fault(422, "spec.selector: Invalid value: field is immutable"),
            ("spec.selector", "cannot be changed", "state: absent"),
        ),
        (fault(400, ".spec.replica: field not declared in schema"), ("https://c.example:6443", ".spec.replica")),
    ],
)
def test_answers(found: ApiFault, words: tuple[str, ...]) -> None:
    assert not [word for word in words if word not in str(found)], str(found)


def said(path: str | None, context: str | None = None) -> str:
    with pytest.raises(ClusterError) as caught, Cluster(path, context) as cluster:
        cluster.get("Namespace", None, "default")
    return str(caught.value)


def test_a_kubeconfig_that_is_missing_or_none(tmp_path: Path) -> None:
    assert "/no/such/file does not exist" in said("/no/such/file")
    path = tmp_path / "broken"
    path.write_text("not: [a, kubeconfig]")
    assert str(path) in said(str(path))


def test_a_context_that_is_not_there(tmp_path: Path) -> None:
    message = said(kubeconfig(tmp_path, "https://127.0.0.1:1"), "there")
    assert "with the context there" in message
    assert "kube_context" in message


def test_nobody_there(tmp_path: Path) -> None:
    message = said(kubeconfig(tmp_path, "https://127.0.0.1:1"))
    assert message.startswith("The cluster at https://127.0.0.1:1 cannot be reached: connection refused.")


def test_a_name_that_is_not_known(tmp_path: Path) -> None:
    assert "its name cannot be resolved" in said(kubeconfig(tmp_path, "https://nowhere.invalid:6443"))


def test_a_server_that_never_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cluster, "read_seconds", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        message = said(kubeconfig(tmp_path, "http://127.0.0.1:%d" % listener.getsockname()[1]))
    assert "no answer in time" in message


def test_something_that_is_no_api_server(tmp_path: Path) -> None:
    with server((200, "<html>")) as (address, _asked):
        assert "not as a Kubernetes API server does" in said(kubeconfig(tmp_path, address))
    with server((404, "404 page not found")) as (address, _asked):
        assert "404 page not found" in said(kubeconfig(tmp_path, address))


def test_an_object_that_is_not_there_is_none_and_the_token_is_sent(tmp_path: Path) -> None:
    answer = {"kind": "Status", "reason": "NotFound", "message": 'configmaps "a" not found'}
    with server((404, answer)) as (address, asked):
        with Cluster(kubeconfig(tmp_path, address, token="t0ken")) as cluster:
            assert cluster.get("ConfigMap", "shop", "a") is None
        assert asked == ["/api/v1/namespaces/shop/configmaps/a Bearer t0ken"]


def test_a_busy_server_is_asked_again(tmp_path: Path) -> None:
    busy = (429, {"kind": "Status", "message": "too many requests", "details": {"retryAfterSeconds": 0.01}})
    with server(busy, busy, (200, {"kind": "ConfigMap"})) as (address, asked):
        with Cluster(kubeconfig(tmp_path, address)) as cluster:
            assert cluster.get("ConfigMap", "shop", "a") == {"kind": "ConfigMap"}
        assert len(asked) == 3


def test_client_certificates_do_not_outlive_the_connection(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path, "https://127.0.0.1:1", **{"client-certificate-data": "eA==", "client-key-data": "a2V5"})
    with contextlib.suppress(ClusterError, OSError), Cluster(path) as cluster:
        directory = Path(cluster._files.name)
        assert {item.read_text() for item in directory.iterdir()} == {"x", "key"}
        assert directory.stat().st_mode & 0o077 == 0
    assert not directory.exists()
