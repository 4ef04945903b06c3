# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is shown to a registry that asks for a certificate, to a real one; and what is no such pair."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient, RegistryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings

from .certificates import Certificates, Issued
from .servers import How, Registry


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def shown(certificates: Certificates) -> tuple[Issued, Issued]:
    """The authority of clients, and a client's certificate of it."""
    authority = certificates.authority("Clients")
    return authority, certificates.issue("client", ["client.example"], authority)


def params(client: Issued, **others: t.Any) -> dict[str, t.Any]:
    pair = {"client_certificate": client.pem, "client_key": client.key_file.read_text()}
    return {"endpoint": "registry.example:5000", **pair, **others}


def test_a_registry_that_asks_for_a_certificate_is_shown_it(
    registry_program: str, certificates: Certificates, shown: tuple[Issued, Issued], tmp_path: Path
) -> None:
    authority = certificates.authority()
    issued = certificates.issue("server", ["127.0.0.1"], authority)
    server = Registry(registry_program, tmp_path / "registry", How(issued=issued, clients=shown[0]))
    try:
        place = {"endpoint": server.endpoint, "ca": authority.pem}
        with RegistryClient(RegistrySettings.from_params(params(shown[1], **place))) as client:
            client.ping()
        stranger = certificates.issue("stranger", ["client.example"], certificates.authority("Others"))
        refusals = {"it demands a client certificate": {}, "it does not take the client certificate": params(stranger)}
        for words, given in refusals.items():
            with (
                RegistryClient(RegistrySettings.from_params({**given, **place})) as client,
                pytest.raises(RegistryError, match=words),
            ):
                client.ping()
    finally:
        server.stop()


def test_text_around_the_blocks_is_left_out(shown: tuple[Issued, Issued]) -> None:
    given = params(shown[1])
    around = {key: f"Bag Attributes\n{text}\n" if key.startswith("client") else text for key, text in given.items()}
    assert RegistrySettings.from_params(around).client == RegistrySettings.from_params(given).client
    assert RegistrySettings.from_params({**given, "client_certificate": "", "client_key": " "}).client is None


def test_the_key_is_in_no_text_of_the_settings(shown: tuple[Issued, Issued]) -> None:
    assert "PRIVATE" not in repr(RegistrySettings.from_params(params(shown[1])))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"client_key": ""}, "'client_certificate' is given and 'client_key' is not; set both or none"),
        ({"client_certificate": ""}, "'client_key' is given and 'client_certificate' is not; set both or none"),
        ({"client_certificate": "nothing"}, "'client_certificate' holds no certificate in PEM form"),
        ({"client_key": "client.key"}, "'client_key' holds no private key in PEM form"),
        ({"tls": "plain"}, "'tls' is plain, which shows none"),
    ],
)
def test_what_is_no_pair_is_refused(shown: tuple[Issued, Issued], changed: dict[str, str], words: str) -> None:
    with pytest.raises(DeliveryError, match=r"registry registry\.example:5000: ") as caught:
        RegistrySettings.from_params(params(shown[1], **changed))
    assert words in str(caught.value)


def test_the_key_of_another_and_one_with_a_passphrase_are_refused(
    certificates: Certificates, shown: tuple[Issued, Issued]
) -> None:
    other = certificates.issue("other", ["client.example"], shown[0])
    with pytest.raises(DeliveryError, match="is not the key of 'client_certificate'"):
        RegistrySettings.from_params(params(shown[1], client_key=other.key_file.read_text()))
    locked = shown[1].key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    with pytest.raises(DeliveryError, match="'client_key' has a passphrase"):
        RegistrySettings.from_params(params(shown[1], client_key=locked.decode()))
