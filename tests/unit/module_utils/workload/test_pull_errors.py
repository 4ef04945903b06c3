# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The classes of failed pulls. Each text was written by a runtime that failed so."""

from __future__ import annotations

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.registry.errors import KINDS
from ansible_collections.longshore.delivery.plugins.module_utils.workload.pull_errors import classify, first_words

HEAD = 'failed to do request: Head "https://10.90.0.20:5000/v2/shop/web/manifests/1.0": '
BEGIN = 'failed to pull and unpack image "10.90.0.20:5000/shop/web:1.0": failed to resolve image: '
CRIO = (
    "unable to pull image or OCI artifact: pull image err: initializing source docker://10.90.0.20:5000/shop/web:1.0: "
)


@pytest.mark.parametrize(
    ("message", "kind", "heals"),
    [
        (BEGIN + "10.90.0.20:5000/shop/web:1.0: not found", "not_found", False),
        (CRIO + "reading manifest 1.0 in 10.90.0.20:5000/shop/web: manifest unknown", "not_found", False),
        (
            BEGIN + HEAD + "tls: failed to verify certificate: x509: certificate signed by unknown authority",
            "ca",
            False,
        ),
        (BEGIN + HEAD + "x509: certificate is valid for 127.0.0.1, not 10.90.0.20", "tls", False),
        (BEGIN + HEAD + "x509: certificate has expired or is not yet valid: current time 2026", "clock", False),
        (BEGIN + HEAD + "http: server gave HTTP response to HTTPS client", "https_on_http", False),
        (
            CRIO + "reading manifest 1.0: StatusCode: 400, Client sent an HTTP request to an HTTPS server",
            "http_on_https",
            False,
        ),
        (
            BEGIN + "unexpected status from HEAD request to https://10.90.0.20:5000/v2/: 401 Unauthorized",
            "unauthorized",
            False,
        ),
        (CRIO + "reading manifest 1.0 in 10.90.0.20:5000/shop/web: authentication required", "unauthorized", False),
        (BEGIN + "failed to authorize: failed to fetch oauth token: 403 Forbidden", "forbidden", False),
        (BEGIN + "no match for platform in manifest: not found", "platform", False),
        ("write /var/lib/containerd/x: no space left on device", "disk", False),
        (BEGIN + HEAD + "dial tcp: lookup registry.example on 10.90.0.12:53: no such host", "name", True),
        (BEGIN + HEAD + "dial tcp 10.90.0.20:5000: connect: connection refused", "refused", True),
        (BEGIN + HEAD + "dial tcp 10.90.0.99:5000: connect: no route to host", "refused", True),
        (BEGIN + HEAD + "dial tcp 10.90.0.99:5000: i/o timeout", "timeout", True),
        ("something that nobody has seen", "other", True),
    ],
)
def test_classes(message: str, kind: str, heals: bool) -> None:
    found = classify(message)
    assert (found.kind, found.heals) == (kind, heals)
    assert found.kind in (*KINDS, "platform", "disk")


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ('Back-off pulling image "a:1": ErrImagePull: rpc error: not found', "rpc error: not found"),
        ('Back-off pulling image "a:1": RegistryUnavailable: down', "down"),
        ('Back-off pulling image "a:1"', ""),
        ("rpc error: not found", "rpc error: not found"),
    ],
)
def test_first_words(message: str, words: str) -> None:
    assert first_words(message) == words
