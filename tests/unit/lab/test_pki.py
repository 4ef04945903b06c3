# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates of the lab: signed by their authority, for the right names, made once."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

import yaml
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.lab import pki
from tests.lab.node_files import cluster_secrets, kubeconfig
from tests.lab.nodes import CP, KUBERNETES_SERVICE, N1, N2

if TYPE_CHECKING:
    from pathlib import Path


def authority(directory: Path) -> pki.Authority:
    made = pki.Authority(directory / "cluster", "lab")
    made.issue(*pki.KUBERNETES)
    made.service_account_key()
    return made


def certificate(made: pki.Authority, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(made.text(f"{name}.crt").encode())


def test_a_server_is_certified_for_its_addresses_and_by_the_authority(tmp_path: Path) -> None:
    made = authority(tmp_path)
    server = certificate(made, "apiserver")
    server.verify_directly_issued_by(certificate(made, "ca"))
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = names.get_values_for_type(x509.IPAddress)
    assert {ip_address(CP.address), ip_address(KUBERNETES_SERVICE)} <= set(addresses)
    assert "kubernetes.default.svc" in names.get_values_for_type(x509.DNSName)
    kubelet = certificate(made, pki.node_server(N1).file)
    names = kubelet.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert ip_address(N1.address) in names.get_values_for_type(x509.IPAddress)


def test_a_kubelet_is_who_the_node_authorizer_wants(tmp_path: Path) -> None:
    client = certificate(authority(tmp_path), pki.node_client(N2).file)
    assert client.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "system:node:n2"
    assert client.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == "system:nodes"
    usage = client.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_what_exists_is_kept_and_what_is_missing_is_made_by_the_same_authority(tmp_path: Path) -> None:
    made = authority(tmp_path)
    before = {path.name: path.read_bytes() for path in made.directory.iterdir()}
    (made.directory / "admin.crt").unlink()
    authority(tmp_path)
    after = {path.name: path.read_bytes() for path in made.directory.iterdir()}
    assert {name for name in before if before[name] != after[name]} == {"admin.crt", "admin.key"}
    certificate(made, "admin").verify_directly_issued_by(certificate(made, "ca"))


def test_without_its_authority_nothing_is_kept(tmp_path: Path) -> None:
    made = authority(tmp_path)
    (made.directory / "ca.crt").unlink()
    authority(tmp_path)
    for identity in pki.KUBERNETES:
        certificate(made, identity.file).verify_directly_issued_by(certificate(made, "ca"))


def test_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    made = authority(tmp_path)
    assert made.directory.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in made.directory.glob("*.key")} == {0o600}
    for node in (CP, N1):
        secret = [f for f in cluster_secrets(node, made) if "PRIVATE KEY" in f.content or "client-key" in f.content]
        assert secret
        assert {file.mode for file in secret} == {0o600}


def test_only_the_control_plane_holds_the_administrators_keys(tmp_path: Path) -> None:
    made = authority(tmp_path)
    worker = {file.path for file in cluster_secrets(N1, made)}
    assert not {path for path in worker if "admin" in path or "service-accounts" in path or "ca.key" in path}
    assert "etc/kubernetes/admin.conf" in {file.path for file in cluster_secrets(CP, made)}
    assert not any("ca.key" in file.path for file in cluster_secrets(CP, made))


def test_a_kubeconfig_is_complete_in_itself(tmp_path: Path) -> None:
    document = yaml.safe_load(kubeconfig(authority(tmp_path), pki.ADMIN))
    assert document["clusters"][0]["cluster"]["server"] == "https://10.90.0.11:6443"
    assert set(document["users"][0]["user"]) == {"client-certificate-data", "client-key-data"}
    assert document["current-context"] == document["contexts"][0]["name"]
