# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What engines said when pulls failed, word for word, and what it is taken for."""

from __future__ import annotations

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.trust.complaint import PullFailed

# containerd 1.7.24 and 2.2 through crictl 1.36, CRI-O 1.36, Docker 26.1, Podman 4.3
SAID = [
    (
        'E1121 15:01:01 remote_image.go:180] "PullImage from image service failed" err="rpc error: code = Unknown desc = '
        'failed to pull and unpack image \\"h:1/a:1\\": failed to do request: Head \\"https://h:1/v2/a/manifests/1\\": '
        'tls: failed to verify certificate: x509: certificate signed by unknown authority" image="10.0.0.1:5000/a:1"',
        "ca",
    ),
    ('Get "https://10.0.0.1:5000/v2/": http: server gave HTTP response to HTTPS client', "https_on_http"),
    (
        "error parsing HTTP 400 response body: invalid character '<' looking for beginning of value: \"<html>\"",
        "http_on_https",
    ),
    (
        'Head "http://h:1/v2/a/manifests/1": net/http: HTTP/1.x transport connection broken: malformed HTTP response',
        "http_on_https",
    ),
    ('Get "https://h:1/v2/": dial tcp 10.0.0.1:5000: connect: connection refused', "refused"),
    ('Get "https://h:1/v2/": dial tcp: lookup h on 10.0.0.2:53: no such host', "name"),
    ("Head https://h:1/v2/: no basic auth credentials", "unauthorized"),
    ("unable to retrieve auth token: invalid username/password: unauthorized: authentication required", "unauthorized"),
    ("pulling from host h:1 failed with status code [manifests 1]: 401 Unauthorized", "unauthorized"),
    ("denied: requested access to the resource is denied", "forbidden"),
    ("unexpected status from HEAD request to https://h:1/v2/a: 403 Forbidden", "forbidden"),
    ('rpc error: code = NotFound desc = failed to pull and unpack image "h:1/a:1": h:1/a:1: not found', "not_found"),
    ("manifest for h:1/a:1 not found: manifest unknown: manifest unknown", "not_found"),
    ('Get "https://h:1/v2/": x509: certificate is valid for 10.0.0.9, not 10.0.0.1', "tls"),
    ("x509: certificate has expired or is not yet valid: current time 2031-01-01", "clock"),
    ('Get "https://h:1/v2/": dial tcp 10.0.0.1:5000: i/o timeout', "timeout"),
    ("timed out after 60 s", "timeout"),
    ("write /var/lib/x: no space left on device", "disk"),
    ("rpc error: code = Unimplemented desc = unknown service runtime.v1.ImageService", "cri"),
    ("something nobody has seen", "other"),
]


@pytest.mark.parametrize(("said", "kind"), SAID)
def test_what_it_is_taken_for(said: str, kind: str) -> None:
    failure = PullFailed(said)
    assert failure.kind == kind
    assert failure.cause.endswith(".")
    assert "\n" not in failure.cause


def test_the_last_line_that_speaks_of_an_error_is_told() -> None:
    failure = PullFailed(
        'Trying to pull h:1/a:1...\ntime="2026-11-21T15:00:00Z" level=warning msg="failed, retrying"\n\nError: no such host\n'
    )
    assert failure.said == "Error: no such host"


def test_an_endless_complaint_is_cut_in_its_middle() -> None:
    failure = PullFailed("failed: " + "x" * 5000 + " connection refused")
    assert len(failure.said) < 700
    assert failure.kind == "refused"
