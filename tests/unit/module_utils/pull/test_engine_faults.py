# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What engines really said, and what is made of it. Each text is as the engine wrote it."""

from __future__ import annotations

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.pull.engine_faults import (
    core_of,
    engine_error,
    kind_of,
)

REFERENCE = "10.90.0.1:25001/shop/web@sha256:" + "0" * 64
HEAD = f'Head "https://10.90.0.1:25001/v2/shop/web/manifests/sha256:{"0" * 64}"'
CONTAINERD_17 = (
    f'pulling image: failed to pull and unpack image "{REFERENCE}": failed to resolve reference "{REFERENCE}": '
    f"failed to do request: {HEAD}: "
)
CONTAINERD_22 = (
    f'pulling image: failed to pull and unpack image "{REFERENCE}": failed to resolve image: '
    f"failed to do request: {HEAD}: "
)
CRIO_PING = (
    f"pulling image: unable to pull image: initializing source docker://{REFERENCE}: pinging container registry "
    '10.90.0.1:25001: Get "https://10.90.0.1:25001/v2/": '
)
DOCKER = 'Get "https://10.90.0.1:25001/v2/": '
PODMAN = (
    f"Error: initializing source docker://{REFERENCE}: pinging container registry 10.90.0.1:25001: "
    'Get "https://10.90.0.1:25001/v2/": '
)
ENDS = {
    "ca": "tls: failed to verify certificate: x509: certificate signed by unknown authority",
    "https_on_http": "http: server gave HTTP response to HTTPS client",
    "refused": "dial tcp 10.90.0.1:25001: connect: connection refused",
    "name": "dial tcp: lookup nowhere.invalid on 10.90.0.11:53: no such host",
    "timeout": "dial tcp 10.90.0.9:5000: i/o timeout",
    "clock": "tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-11-21T15",
    "tls": "tls: failed to verify certificate: x509: certificate is valid for 10.0.0.1, not 10.90.0.1",
}
SAID = [
    (start + end, kind)
    for start in (CONTAINERD_17, CONTAINERD_22, CRIO_PING, DOCKER, PODMAN)
    for kind, end in ENDS.items()
] + [
    (
        f'pulling image: failed to pull and unpack image "{REFERENCE}": failed to resolve reference "{REFERENCE}": unexpected '
        "status from HEAD request to http://127.0.0.1:25000/v2/shop/web/manifests/sha256:0: 401 Unauthorized",
        "unauthorized",
    ),
    (f'failed to pull and unpack image "{REFERENCE}": failed to resolve image: {REFERENCE}: not found', "not_found"),
    (
        f"pulling image: unable to pull image or OCI artifact: pull image err: initializing source docker://{REFERENCE}: reading "
        "manifest sha256:0 in 10.90.0.1:25001/shop/web: authentication required; artifact err: image reference: get manifest",
        "unauthorized",
    ),
    ("unauthorized: authentication required", "unauthorized"),
    ("no basic auth credentials", "unauthorized"),
    (f"manifest for {REFERENCE} not found: manifest unknown: manifest unknown", "not_found"),
    (f"Error: initializing source docker://{REFERENCE}: reading manifest sha256:0 in x: manifest unknown", "not_found"),
    ("denied: requested access to the resource is denied", "forbidden"),
    ("error parsing HTTP 400 response body: invalid character '<' looking for beginning of value", "http_on_https"),
    ("failed to register layer: write /a: no space left on device", "disk"),
    ("received unexpected HTTP status: 503 Service Unavailable", "busy"),
    (
        'validate CRI v1 image API for endpoint "unix:///run/containerd/containerd.sock": rpc error: code = Unavailable desc = '
        'connection error: desc = "transport: Error while dialing: dial unix /run/containerd/containerd.sock: connect: no such '
        'file or directory"',
        "engine",
    ),
    ("rpc error: code = Unimplemented desc = unknown service runtime.v1.ImageService", "engine"),
    ("something never heard of", "other"),
]


@pytest.mark.parametrize(("said", "kind"), SAID)
def test_kind(said: str, kind: str) -> None:
    assert kind_of(said) == kind


@pytest.mark.parametrize(("said", "kind"), SAID)
def test_an_error_names_place_cause_and_way_out(said: str, kind: str) -> None:
    error = engine_error("Pulling shop/web", "containerd on n1", "10.90.0.1:25001", said)
    assert error.facts["engine_error"] == kind
    assert str(error).startswith("Pulling shop/web failed: ")
    if kind not in ("engine", "disk"):
        assert "10.90.0.1:25001" in str(error)
    if kind not in ("engine", "busy"):
        assert "containerd on n1" in str(error)
    assert core_of(said) in str(error)
    assert "{" not in str(error)


@pytest.mark.parametrize(
    ("said", "core"),
    [
        (CONTAINERD_17 + ENDS["ca"], f"{HEAD}: {ENDS['ca']}"),
        (CONTAINERD_22 + ENDS["ca"], f"{HEAD}: {ENDS['ca']}"),
        (PODMAN + ENDS["ca"], f"pinging container registry 10.90.0.1:25001: {DOCKER}{ENDS['ca']}"),
        (
            'time="2026" level=warning msg="Failed, retrying in 1s ... (1/3). Error: initializing"\nError: it\'s refused\n',
            "it's refused",
        ),
        (
            f"pulling image: unable to pull image or OCI artifact: pull image err: initializing source docker://{REFERENCE}: "
            "reading manifest: manifest unknown; artifact err: image reference: get manifest from ref: manifest unknown",
            "reading manifest: manifest unknown",
        ),
        ("x" * 600, "x" * 500 + "..."),
    ],
)
def test_the_core_is_without_wrapping(said: str, core: str) -> None:
    assert core_of(said) == core
