# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each way in which a registry cannot be reached, against servers that are so: the kind, the cause and the way out."""

from __future__ import annotations

import re
import socket

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.errors import Answer, speaks_tls_after_all

from .asserting import Call, fault, told
from .certificates import Certificates
from .conftest import Serve, Settings, StartRegistry

# ---- the way to the server ----


@pytest.mark.parametrize("tls", ["verified", "plain"])
def test_nothing_listens_there(settings: Settings, tls: str) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        error = fault(settings(f"127.0.0.1:{port}", tls=tls))
    told(error, "refused", f"127.0.0.1 port {port}", "whether the registry runs")


@pytest.mark.parametrize("host", ["registry.invalid", "a" * 70 + ".example"])
def test_an_unknown_name(settings: Settings, host: str) -> None:
    told(fault(settings(f"{host}:5000")), "name", repr(host), "Check the name")


@pytest.mark.parametrize("tls", ["verified", "plain"])
def test_a_server_that_says_nothing(settings: Settings, listening: socket.socket, tls: str) -> None:
    error = fault(settings("127.0.0.1:%d" % listening.getsockname()[1], tls=tls), timeout=0.2)
    told(error, "timeout", "within 0.2 s", "firewall")


# ---- http and https mixed up ----


@pytest.mark.parametrize("call", [RegistryClient.ping, lambda client: client.head_manifest("shop/web", "1")])
def test_plain_requests_to_a_tls_port(
    start_registry: StartRegistry, serve: Serve, certificates: Certificates, settings: Settings, call: Call
) -> None:
    issued = certificates.issue("registry", ["127.0.0.1"], None)
    for server in (start_registry(issued=issued), serve(lambda request: (200, {}, b""), issued)):
        error = fault(settings(server.endpoint, tls="plain"), call)
        told(error, "http_on_https", "it speaks TLS, and 'tls' is plain", "Set 'tls' to verified")


@pytest.mark.parametrize("tls", ["verified", "unverified"])
def test_tls_to_a_plain_port(start_registry: StartRegistry, settings: Settings, tls: str) -> None:
    error = fault(settings(start_registry().endpoint, tls=tls))
    told(error, "https_on_http", "it speaks plain HTTP, not TLS", "Set 'tls' to plain if that is wanted")


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, b"Client sent an HTTP request to an HTTPS server.\n", True),
        (400, b"<center>The plain HTTP request was sent to HTTPS port</center>", True),
        (497, b"The plain HTTP request was sent to HTTPS port", True),
        (400, b"You're speaking plain HTTP to an SSL-enabled server port.", True),
        (400, b'{"errors":[{"code":"UNKNOWN"}]}', False),
        (200, b"Client sent an HTTP request to an HTTPS server.\n", False),
    ],
)
def test_the_words_of_go_nginx_and_apache(status: int, body: bytes, expected: bool) -> None:
    assert speaks_tls_after_all(Answer(status, "", {}, body)) is expected


# ---- certificates ----


def test_an_unknown_authority(start_registry: StartRegistry, certificates: Certificates, settings: Settings) -> None:
    authority = certificates.authority("Harbour authority")
    registry = start_registry(issued=certificates.issue("registry", ["127.0.0.1"], authority))
    error = fault(settings(registry.endpoint))
    told(error, "ca", "issued by 'Harbour authority'", "Set 'ca' to the PEM of that authority")
    other = certificates.authority("Other authority").pem
    error = fault(settings(registry.endpoint, ca=other))
    told(error, "ca", "'Harbour authority', whom", "nor does the given 'ca' ('Other authority')")
    same = certificates.authority("Harbour authority").pem
    error = fault(settings(registry.endpoint, ca=same))
    told(error, "ca", "that name and another key: the authority was made anew")
    with RegistryClient(settings(registry.endpoint, ca=other + same + authority.pem)) as client:
        client.ping()


def test_a_certificate_signed_by_itself(
    start_registry: StartRegistry, certificates: Certificates, settings: Settings
) -> None:
    issued = certificates.issue("registry", ["127.0.0.1"], None)
    registry = start_registry(issued=issued)
    told(fault(settings(registry.endpoint)), "ca", "'registry', SHA-256 ", "is signed by itself", "Set 'ca' to its PEM")
    with RegistryClient(settings(registry.endpoint, ca="# the registry's own, für uns\n" + issued.pem)) as client:
        client.ping()


def test_an_intermediate_authority_is_anchor_enough_as_for_the_engines(
    start_registry: StartRegistry, certificates: Certificates, settings: Settings
) -> None:
    root = certificates.authority("Root")
    intermediate = certificates.issue("Intermediate", [], root, authority=True)
    registry = start_registry(issued=certificates.issue("registry", ["127.0.0.1"], intermediate))
    with RegistryClient(settings(registry.endpoint, ca=intermediate.pem)) as client:
        client.ping()


def test_a_certificate_for_another_host(
    start_registry: StartRegistry, certificates: Certificates, settings: Settings
) -> None:
    authority = certificates.authority()
    registry = start_registry(issued=certificates.issue("x", ["registry.example", "10.0.0.1"], authority))
    error = fault(settings(registry.endpoint, ca=authority.pem))
    told(error, "tls", "for registry.example, 10.0.0.1, not for 127.0.0.1", "subject alternative names")
    error = fault(settings(f"localhost:{registry.port}", ca=authority.pem))
    told(error, "tls", "not for localhost")


def test_a_common_name_does_not_count(
    start_registry: StartRegistry, certificates: Certificates, settings: Settings
) -> None:
    authority = certificates.authority()
    registry = start_registry(issued=certificates.issue("localhost", [], authority))
    error = fault(settings(f"localhost:{registry.port}", ca=authority.pem))
    told(error, "tls", "it has no subject alternative names, and a common name does not count")


@pytest.mark.parametrize(
    ("valid", "fragments"),
    [
        ((-3, -1), ("its certificate has expired (valid from ", "Renew it, or set the clock")),
        ((1, 3), ("its certificate is not valid yet (valid from ", "Set the clock (NTP)")),
    ],
)
def test_a_certificate_out_of_its_time(
    start_registry: StartRegistry,
    certificates: Certificates,
    settings: Settings,
    valid: tuple[int, int],
    fragments: tuple[str, ...],
) -> None:
    authority = certificates.authority(valid=(-5, 5))
    registry = start_registry(issued=certificates.issue("registry", ["127.0.0.1"], authority, valid=valid))
    error = fault(settings(registry.endpoint, ca=authority.pem))
    told(error, "clock", "this machine's clock says 20", *fragments)
    assert len(re.findall(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", str(error))) == 3


def test_an_authority_out_of_its_time(
    start_registry: StartRegistry, certificates: Certificates, settings: Settings
) -> None:
    authority = certificates.authority(valid=(-5, -1))
    registry = start_registry(issued=certificates.issue("registry", ["127.0.0.1"], authority))
    told(fault(settings(registry.endpoint, ca=authority.pem)), "clock", "most likely its authority's, has expired")


def test_a_client_certificate_is_demanded(serve: Serve, certificates: Certificates, settings: Settings) -> None:
    authority = certificates.authority()
    issued = certificates.issue("registry", ["127.0.0.1"], authority)
    server = serve(lambda request: (200, {}, b""), issued, client_ca=authority)
    error = fault(settings(server.endpoint, ca=authority.pem))
    told(error, "tls", "it demands a client certificate")
