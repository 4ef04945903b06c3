# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates for the tests' servers."""

from __future__ import annotations

import dataclasses
import datetime
import ipaddress
import ssl
import typing as t
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DAY = datetime.timedelta(days=1)
PEM = serialization.Encoding.PEM


@dataclasses.dataclass(frozen=True)
class Issued:
    """A certificate and its key, also as files."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    cert_file: Path
    key_file: Path

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(PEM).decode()

    def served(self, client_ca: Issued | None = None) -> ssl.SSLContext:
        """TLS of a server that shows this certificate, and with an authority of clients asks for theirs."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert_file, self.key_file)
        if client_ca:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(client_ca.cert_file)
        return context


class Certificates:
    """Issues certificates into a directory; times are days from now."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def authority(self, name: str = "Test authority", valid: tuple[int, int] = (-1, 30)) -> Issued:
        return self.issue(name, [], None, valid, authority=True)

    def issue(
        self,
        name: str,
        names: t.Sequence[str],
        by: Issued | None,
        valid: tuple[int, int] = (-1, 30),
        authority: bool = False,
    ) -> Issued:
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.now(datetime.timezone.utc)
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(by.certificate.subject if by else subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + valid[0] * DAY)
            .not_valid_after(now + valid[1] * DAY)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        # As every tool makes them: with these, one of two authorities of the same name is found by its key.
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        signer = (by.key if by else key).public_key()
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False)
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_alternative(item) for item in names]), critical=False
            )
        certificate = builder.sign(by.key if by else key, hashes.SHA256())
        stem = self._directory / f"{certificate.serial_number:x}"
        issued = Issued(certificate, key, stem.with_suffix(".crt"), stem.with_suffix(".key"))
        issued.cert_file.write_text(issued.pem)
        issued.key_file.touch(mode=0o600)
        issued.key_file.write_bytes(
            key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        return issued


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
