# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom a client trusts: the given authorities and the system's, of which the latter are loaded only where they are needed."""

from __future__ import annotations

import ssl
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from tests.http_server import Reply, Request

from .asserting import fault, told
from .certificates import Certificates, Issued
from .conftest import Serve, Settings


class System:
    """The system's authorities, in a file of the test's, and how often they are loaded."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._path = path
        self.loads = 0
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        monkeypatch.setenv("SSL_CERT_DIR", str(path.parent / "none"))
        load = ssl.SSLContext.load_default_certs

        def counted(context: ssl.SSLContext, *arguments: t.Any) -> None:
            self.loads += 1
            load(context, *arguments)

        monkeypatch.setattr(ssl.SSLContext, "load_default_certs", counted)

    def trusts(self, *authorities: Issued) -> None:
        self._path.write_text("".join(authority.pem for authority in authorities))


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    return System(tmp_path / "system.pem", monkeypatch)


def test_a_given_authority_that_vouches_is_enough(
    system: System, serve: Serve, certificates: Certificates, settings: Settings
) -> None:
    system.trusts()
    authority = certificates.authority("Given")
    server = serve(lambda request: (200, {}, b"{}"), certificates.issue("registry", ["127.0.0.1"], authority))
    for _image in range(3):
        with RegistryClient(settings(server.endpoint, ca=authority.pem)) as client:
            client.ping()
            client.ping()
    assert system.loads == 0


def test_the_system_s_authorities_are_trusted_beside_a_given_one(
    system: System, serve: Serve, certificates: Certificates, settings: Settings
) -> None:
    public, given = certificates.authority("Public"), certificates.authority("Given")
    system.trusts(public)
    asked: list[str] = []

    def answer(request: Request) -> Reply:
        asked.append(request.method)
        return 200, {}, b"{}"

    server = serve(answer, certificates.issue("registry", ["127.0.0.1"], public))
    for _image in range(3):
        with RegistryClient(settings(server.endpoint, ca=given.pem)) as client:
            client.ping()
            client.ping()
    assert asked == ["GET"] * 6  # a handshake that fails sends nothing
    assert system.loads == 1


def test_without_a_given_authority_those_of_the_system_are_loaded_once(
    system: System, serve: Serve, certificates: Certificates, settings: Settings
) -> None:
    public = certificates.authority("Public")
    system.trusts(public)
    servers = [
        serve(lambda request: (200, {}, b"{}"), certificates.issue("registry", ["127.0.0.1"], public))
        for _number in range(2)
    ]
    for server in (*servers, *servers):
        with RegistryClient(settings(server.endpoint)) as client:
            client.ping()
    assert system.loads == 1


def test_a_registry_may_send_its_clients_on_to_a_server_that_only_the_system_trusts(
    system: System, serve: Serve, certificates: Certificates, settings: Settings
) -> None:
    public, given = certificates.authority("Public"), certificates.authority("Given")
    system.trusts(public)
    there = serve(lambda request: (200, {}, b"{}"), certificates.issue("blobs", ["127.0.0.1"], public))
    here = serve(
        lambda request: (307, {"Location": f"https://{there.endpoint}/x"}, b""),
        certificates.issue("registry", ["127.0.0.1"], given),
    )
    with RegistryClient(settings(here.endpoint, ca=given.pem)) as client:
        client.ping()


def test_who_is_vouched_for_by_nobody_is_told_with_all_who_were_asked(
    system: System, serve: Serve, certificates: Certificates, settings: Settings
) -> None:
    system.trusts(certificates.authority("Public"))
    issued = certificates.issue("registry", ["127.0.0.1"], certificates.authority("Stranger"))
    server = serve(lambda request: (200, {}, b"{}"), issued)
    error = fault(settings(server.endpoint, ca=certificates.authority("Given").pem))
    told(error, "ca", "issued by 'Stranger'", "nor does the given 'ca' ('Given')")
    assert system.loads == 1


def test_what_one_client_is_given_no_other_trusts(
    system: System, serve: Serve, certificates: Certificates, settings: Settings
) -> None:
    system.trusts()
    one, two = certificates.authority("One"), certificates.authority("Two")
    server = serve(lambda request: (200, {}, b"{}"), certificates.issue("registry", ["127.0.0.1"], one))
    with RegistryClient(settings(server.endpoint, ca=one.pem)) as client:
        client.ping()
    told(fault(settings(server.endpoint, ca=two.pem)), "ca", "issued by 'One'")
    told(fault(settings(server.endpoint)), "ca", "issued by 'One'")
    with RegistryClient(settings(server.endpoint, tls="unverified")) as client:
        client.ping()
