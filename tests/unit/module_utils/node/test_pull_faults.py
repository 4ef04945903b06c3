# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What engines say when pulls fail, and what is made of it, whatever the image is called."""

from __future__ import annotations

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.node.pull_faults import KINDS, fault_in
from ansible_collections.longshore.delivery.plugins.module_utils.node.said import core_of
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.errors import KINDS as REGISTRY_KINDS

DIGEST = "sha256:" + "0" * 63 + "1"
WEB = f"10.90.0.1:25001/shop/web@{DIGEST}"

# How engines wrap a failure: {image} as it was asked for, {name} without tag and digest, {end} tag or digest, {server}, {path}.
URL = 'failed to do request: Head "https://{server}/v2/{path}/manifests/{end}": '
WRAPPINGS = {
    "containerd 1.7": 'pulling image: failed to pull and unpack image "{image}": failed to resolve reference "{image}": '
    + URL,
    "containerd 2.2": 'pulling image: failed to pull and unpack image "{image}": failed to resolve image: ' + URL,
    "CRI-O 1.36": "pulling image: unable to pull image or OCI artifact: pull image err: initializing source docker://{image}: "
    'pinging container registry {server}: Get "https://{server}/v2/": ',
    "Docker 26.1": 'Get "https://{server}/v2/": ',
    "Docker 26.1 by name": 'Head "https://{server}/v2/{path}/manifests/{end}": ',
    "Podman 4.3": "Trying to pull {image}...\nError: initializing source docker://{image}: pinging container registry {server}: "
    'Get "https://{server}/v2/": ',
    "Podman by name": "Error: unable to copy from source docker://{image}: initializing source docker://{image}: reading "
    "manifest {end} in {name}: ",
    "Skopeo": 'time="2026-11-21T15:00:00Z" level=fatal msg="Error parsing image name \\"docker://{image}\\": reading '
    "manifest {end} in {name}: ",
    "crictl 1.36": 'E1121 15:01:01 remote_image.go:180] "PullImage from image service failed" err="rpc error: code = Unknown '
    'desc = failed to pull and unpack image \\"{image}\\": failed to do request: Head \\"https://{server}/v2/\\": ',
}
# What they say inside of any of these.
CAUSES = [
    ("tls: failed to verify certificate: x509: certificate signed by unknown authority", "ca"),
    ("x509: certificate signed by unknown authority (possibly because of x)", "ca"),
    ("http: server gave HTTP response to HTTPS client", "https_on_http"),
    ("net/http: HTTP/1.x transport connection broken: malformed HTTP response", "http_on_https"),
    ("StatusCode: 400, Client sent an HTTP request to an HTTPS server", "http_on_https"),
    (
        "tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2031",
        "clock",
    ),
    ("x509: certificate is valid for 10.0.0.9, not 10.0.0.1", "tls"),
    ("remote error: tls: bad certificate", "tls"),
    ("net/http: TLS handshake timeout", "timeout"),
    ("dial tcp 10.0.0.1:5000: i/o timeout", "timeout"),
    ("context deadline exceeded (Client.Timeout exceeded while awaiting headers)", "timeout"),
    ("dial tcp 10.0.0.1:401: connect: connection refused", "refused"),
    ("dial tcp 10.0.0.1:5000: connect: no route to host", "refused"),
    ("dial tcp: lookup registry.example on 10.0.0.2:53: no such host", "name"),
    ("dial tcp: lookup denied on 10.0.0.2:53: read udp 10.0.0.1:40401->10.0.0.2:53: i/o timeout", "name"),
    ("dial tcp: lookup registry.example: Temporary failure in name resolution", "name"),
    ("unexpected status from HEAD request to https://10.0.0.1:404/v2/: 401 Unauthorized", "unauthorized"),
    ("pulling from host 10.0.0.1:404 failed with status code [manifests 404]: 401 Unauthorized", "unauthorized"),
    ("no basic auth credentials", "unauthorized"),
    ("unable to retrieve auth token: invalid username/password: unauthorized: authentication required", "unauthorized"),
    ("denied: requested access to the resource is denied", "forbidden"),
    ("unexpected status from GET request to https://10.0.0.1:401/v2/: 403 Forbidden", "forbidden"),
    (
        "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: "
        "authorization failed",
        "forbidden",
    ),
    ("manifest unknown: manifest unknown", "not_found"),
    ("StatusCode: 404, <html>", "not_found"),
    ("no match for platform in manifest: not found", "platform"),
    ("no matching manifest for linux/arm64/v8 in the manifest list entries", "platform"),
    ('no image found in image index for architecture "arm64", variant "v8", OS "linux"', "platform"),
    (f"unexpected commit digest {DIGEST}, expected sha256:{'4' * 64}: failed precondition", "digest"),
    ("received unexpected HTTP status: 503 Service Unavailable", "busy"),
    ("invalid status code from registry 502 (Bad Gateway)", "busy"),
    ("toomanyrequests: You have reached your unauthenticated pull rate limit", "busy"),
    ("unexpected status: 429 Too Many Requests", "busy"),
    ("write /var/lib/denied/401: no space left on device", "disk"),
    ("write /var/lib/x: disk quota exceeded", "disk"),
    # what is none of the registry's matter, though it has its words
    ("open /var/lib/x: permission denied", "other"),
    ('error getting credentials - err: exec: "docker-credential-x": executable file not found in $PATH', "other"),
    ("received unexpected HTTP status: 500 Internal Server Error", "other"),
    ("something never heard of", "other"),
]
# Names that are an engine's words for something else.
NAMES = [
    "10.90.0.1:25001/shop/web:1.0",
    WEB,
    "10.90.0.1:401/denied/not-found-401:404",
    f"registry.example/denied/not-found-401@{DIGEST}",
    f"registry.example:5000/denied/not-found-401:manifest-unknown@{DIGEST}",
    "unauthorized",
    "unauthorized:denied",
    "registry.example/unauthorized:401",
    "x509:no-such-host",
    "registry.example:443/x509/no-such-host:connection-refused",
    "denied.no-such-host.example:503/i/o:timeout",
    "localhost:404/x509:not-found",
    "[2001:db8::401]:403/forbidden:tls",
    "toomanyrequests/no-space-left:429",
]


def wrapped(wrapping: str, cause: str, image: str) -> str:
    reference = Reference.parse(image)
    parts = {
        "image": str(reference),
        "name": reference.name,
        "server": str(reference.endpoint),
        "path": reference.repository,
        "end": str(reference.digest or reference.tag or "latest"),
    }
    return wrapping.format(**parts) + cause


@pytest.mark.parametrize("image", NAMES)
@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_the_cause_decides_and_no_name_does(wrapping: str, image: str) -> None:
    taken = {cause: fault_in(wrapped(WRAPPINGS[wrapping], cause, image), image).kind for cause, _kind in CAUSES}
    assert taken == dict(CAUSES)


# What engines say in a way of their own, the name in the middle of it.
WHOLE = [
    ("manifest for {familiar} not found: manifest unknown: manifest unknown", "not_found"),
    ('failed to pull and unpack image "{image}": failed to resolve image: {image}: not found', "not_found"),
    ("No such image: {familiar}", "not_found"),
    ("repository {short} not found: does not exist or no pull access", "not_found"),
    (
        "pull access denied for {short}, repository does not exist or may require 'docker login': denied: requested access to "
        "the resource is denied",
        "forbidden",
    ),
    ("no matching manifest for linux/arm64/v8 in the manifest list entries of {familiar}", "platform"),
    ("error pulling image {familiar}: something never heard of", "other"),
    ("Error: copying system image from manifest list: writing blob of {image}: no space left on device", "disk"),
]


@pytest.mark.parametrize("image", NAMES)
@pytest.mark.parametrize(("said", "kind"), WHOLE)
def test_a_name_in_the_midst_of_words_is_none_of_them(said: str, kind: str, image: str) -> None:
    reference = Reference.parse(image if ":" in image or "@" in image else f"{image}:latest")
    short = reference.familiar.partition("@")[0]
    short = short[: -len(reference.tag) - 1] if reference.tag else short
    told = said.format(image=reference, familiar=reference.familiar, short=short)
    assert fault_in(told, str(reference)).kind == kind


# The names of others: a token service, a mirror, another image, a file.
FOREIGN = [
    ('failed to fetch oauth token: Get "https://unauthorized.example/token?scope=pull": EOF', "other"),
    ("reading from https://denied.example/blob: unexpected EOF", "other"),
    ('the reference "denied" has no tag', "other"),
    ("copying unauthorized.example/shop/web: unexpected EOF", "other"),
    ("copying denied/web:1: unexpected EOF", "other"),
    ("mirror denied.example:5000 failed: unexpected EOF", "other"),
    ("link /var/lib/denied/x: file exists", "other"),
    ("pulling from host h failed with status code [manifests unauthorized]: 500 Internal Server Error", "other"),
    ("dial tcp: lookup x509: no such host", "name"),
]


@pytest.mark.parametrize(("said", "kind"), FOREIGN)
def test_names_of_others_are_no_words_either(said: str, kind: str) -> None:
    assert fault_in(said, WEB).kind == kind


OWN = [
    ("unauthorized: authentication required", "unauthorized"),
    (
        "errors:\ndenied: requested access to the resource is denied\nunauthorized: authentication required\n",
        "unauthorized",
    ),
    ("error parsing HTTP 400 response body: invalid character '<' looking for beginning of value", "http_on_https"),
    (
        f"pulling image: unable to pull image or OCI artifact: pull image err: initializing source docker://{WEB}: reading "
        f"manifest {DIGEST} in 10.90.0.1:25001/shop/web: authentication required; artifact err: get manifest: manifest unknown",
        "unauthorized",
    ),
    (
        'validate CRI v1 image API for endpoint "unix:///run/containerd/containerd.sock": rpc error: code = Unavailable desc = '
        'connection error: desc = "transport: Error while dialing: dial unix /run/containerd/containerd.sock: connect: no such '
        'file or directory"',
        "engine",
    ),
    ("dial unix /var/run/docker.sock: [Errno 13] Permission denied", "engine"),
    ("rpc error: code = Unimplemented desc = unknown service runtime.v1.ImageService", "cri"),
    ("timed out after 60 s", "timeout"),
    ('rpc error: code = NotFound desc = failed to pull and unpack image "h:1/a:1": h:1/a:1: not found', "not_found"),
]


@pytest.mark.parametrize(("said", "kind"), OWN)
def test_what_is_said_without_a_name(said: str, kind: str) -> None:
    assert fault_in(said).kind == kind
    assert fault_in(said, WEB).kind == kind


def test_every_kind_is_told_of_here_and_those_of_registries_are_among_them() -> None:
    assert {kind for _said, kind in (*CAUSES, *WHOLE, *OWN)} == set(KINDS)
    assert set(REGISTRY_KINDS) <= set(KINDS)


@pytest.mark.parametrize(("said", "kind"), [*CAUSES, *OWN])
def test_an_error_names_place_cause_and_way_out(said: str, kind: str) -> None:
    told = fault_in(said).told("containerd on n1", "the registry 10.90.0.1:25001", said)
    if kind not in ("engine", "cri", "disk", "other"):
        assert "the registry 10.90.0.1:25001" in told
    assert f". Containerd on n1 said: {core_of(said)}. " in told
    assert told.endswith(".")
    assert "\n" not in told
    assert "{" not in told


# A deployment gives these some time, and a node tries the registry's next image after those of the last line.
HEALING = {"refused", "name", "timeout", "busy", "engine", "cri", "other"}
OF_ONE_IMAGE = {"unauthorized", "forbidden", "not_found", "digest", "platform", "other"}


@pytest.mark.parametrize(("said", "kind"), [*CAUSES, *OWN])
def test_what_may_pass_and_what_concerns_every_image_of_a_registry(said: str, kind: str) -> None:
    fault = fault_in(said)
    assert fault.heals == (kind in HEALING)
    assert fault.of_registry == (kind not in OF_ONE_IMAGE)


HEAD = f'Head "https://10.90.0.1:25001/v2/shop/web/manifests/{DIGEST}": '
CA = "tls: failed to verify certificate: x509: certificate signed by unknown authority"
PING = 'pinging container registry 10.90.0.1:25001: Get "https://10.90.0.1:25001/v2/": '


@pytest.mark.parametrize(
    ("said", "core"),
    [
        (wrapped(WRAPPINGS["containerd 1.7"], CA, WEB), HEAD + CA),
        (wrapped(WRAPPINGS["containerd 2.2"], CA, WEB), HEAD + CA),
        (wrapped(WRAPPINGS["Podman 4.3"], CA, WEB), PING + CA),
        (
            'time="2026" level=warning msg="Failed, retrying in 1s ... (1/3). Error: initializing"\nError: it\'s refused\n',
            "it's refused",
        ),
        (
            'time="2026" level=warning msg="Failed"\ntime="2026" level=fatal msg="reading \\"a\\": manifest unknown"\n',
            'reading "a": manifest unknown',
        ),
        (
            f"pulling image: unable to pull image or OCI artifact: pull image err: initializing source docker://{WEB}: "
            "reading manifest: manifest unknown; artifact err: image reference: get manifest from ref: manifest unknown",
            "reading manifest: manifest unknown",
        ),
        (
            "failed: " + "x" * 600 + " connection refused",
            "failed: " + "x" * 242 + " ... " + "x" * 231 + " connection refused",
        ),
    ],
)
def test_the_core_is_without_wrapping(said: str, core: str) -> None:
    assert core_of(said) == core
