# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates of the lab: one authority for the cluster and one for dock's engine, made once and kept with the lab."""

from __future__ import annotations

import datetime
import ipaddress
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .nodes import CLUSTER, CLUSTER_DOMAIN, CP, DOCK, KUBERNETES_SERVICE, Node

if TYPE_CHECKING:
    from pathlib import Path

LIFETIME = datetime.timedelta(days=3650)


@dataclass(frozen=True)
class Identity:
    """Who a certificate is for: `names` (host names and addresses) make it a server's, else it is a client's."""

    file: str
    common_name: str
    group: str = ""
    names: tuple[str, ...] = ()


def node_client(node: Node) -> Identity:
    return Identity(f"kubelet-{node.name}", f"system:node:{node.name}", "system:nodes")


def node_server(node: Node) -> Identity:
    return Identity(f"kubelet-server-{node.name}", node.name, names=(node.name, node.address))


API_SERVER = Identity(
    "apiserver",
    "kube-apiserver",
    names=(
        CP.address,
        CP.name,
        "127.0.0.1",
        "localhost",
        KUBERNETES_SERVICE,
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        f"kubernetes.default.svc.{CLUSTER_DOMAIN}",
    ),
)
KUBELET_CLIENT = Identity("apiserver-kubelet-client", "kube-apiserver-kubelet-client", "system:masters")
ADMIN = Identity("admin", "longshore-lab-admin", "system:masters")
CONTROLLER_MANAGER = Identity("controller-manager", "system:kube-controller-manager")
SCHEDULER = Identity("scheduler", "system:kube-scheduler")
PROXY = Identity("kube-proxy", "system:kube-proxy")
KUBERNETES = (
    *(API_SERVER, KUBELET_CLIENT, ADMIN, CONTROLLER_MANAGER, SCHEDULER, PROXY),
    *(identity for node in CLUSTER for identity in (node_client(node), node_server(node))),
)
BUILDER_SERVER = Identity("server", DOCK.name, names=(DOCK.name, DOCK.address, "localhost", "127.0.0.1"))
BUILDER_CLIENT = Identity("client", "longshore-lab-builder")


@dataclass(frozen=True)
class Authority:
    """A directory with ca.crt, ca.key and <file>.crt, <file>.key of each identity; the existing ones are kept."""

    directory: Path
    name: str

    def issue(self, *identities: Identity) -> None:
        """Make what is missing. A key is written before its certificate, so a certificate is never without one."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self._file("ca.crt").exists():
            for stale in self.directory.iterdir():
                stale.unlink()
            self._make_authority()
        for identity in identities:
            if not self._file(f"{identity.file}.crt").exists():
                self._make(identity)

    def text(self, name: str) -> str:
        """PEM text of a file of this authority, such as "ca.crt"."""
        return self._file(name).read_text(encoding="ascii")

    def service_account_key(self) -> None:
        """The key that signs service account tokens; it has no certificate."""
        if not self._file("service-accounts.key").exists():
            _write(self._file("service-accounts.key"), _pem(ec.generate_private_key(ec.SECP256R1())))

    def _file(self, name: str) -> Path:
        return self.directory / name

    def _make_authority(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])
        certificate = (
            _builder(subject, subject, key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_usage(authority=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        _write(self._file("ca.key"), _pem(key))
        _write(self._file("ca.crt"), certificate.public_bytes(serialization.Encoding.PEM))

    def _make(self, identity: Identity) -> None:
        authority = x509.load_pem_x509_certificate(self._file("ca.crt").read_bytes())
        signer = serialization.load_pem_private_key(self._file("ca.key").read_bytes(), None)
        assert isinstance(signer, ec.EllipticCurvePrivateKey)
        key = ec.generate_private_key(ec.SECP256R1())
        attributes = [x509.NameAttribute(NameOID.COMMON_NAME, identity.common_name)]
        if identity.group:
            attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, identity.group))
        purpose = ExtendedKeyUsageOID.SERVER_AUTH if identity.names else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = (
            _builder(x509.Name(attributes), authority.subject, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        )
        if identity.names:
            names = x509.SubjectAlternativeName([_general_name(name) for name in identity.names])
            builder = builder.add_extension(names, critical=False)
        _write(self._file(f"{identity.file}.key"), _pem(key))
        certificate = builder.sign(signer, hashes.SHA256())
        _write(self._file(f"{identity.file}.crt"), certificate.public_bytes(serialization.Encoding.PEM))


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + LIFETIME)
    )


def _usage(authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """As "EC PRIVATE KEY": the only form in which Kubernetes 1.36 reads an elliptic service account key."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    os.replace(partial, path)
