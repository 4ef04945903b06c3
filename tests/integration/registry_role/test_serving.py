# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The registry that the role makes, asked by clients of its own, and a second run of the role."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import socket
import ssl
import time
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryError
from tests.integration.asking import eventually

from .lab import (
    ADDRESS,
    BACKEND,
    DIRECTORY,
    LOGIN,
    NGINX,
    PORT,
    changed,
    client,
    files,
    on_host,
    play,
    processes,
    strict_context,
)
from .traffic import OCI

pytestmark = pytest.mark.lab


def test_nobody_gets_in_without_a_login(ca: str) -> None:
    for login in ({}, {**LOGIN, "password": "not-the-password"}, {**LOGIN, "username": "nobody"}):
        with client(ca, login) as asking, pytest.raises(RegistryError) as refused:
            asking.ping()
        assert (refused.value.kind, refused.value.status) == ("unauthorized", 401)


def test_the_registry_behind_is_reached_through_nginx_alone(ca: str) -> None:
    sockets = on_host("ss", "-Hltn", "sport", "=", ":5001").split()
    assert "127.0.0.1:5001" in sockets
    assert "0.0.0.0:5001" not in sockets


def test_what_is_pushed_is_pulled_and_can_be_deleted(ca: str, repository: str) -> None:
    with client(ca) as pushing:
        data = os.urandom(20_000_000)
        blob = pushing.push_blob(repository, data)
        assert hashlib.sha256(pushing.get_blob(repository, blob)).hexdigest() == hashlib.sha256(data).hexdigest()
        size = len(data)
        document = {
            "schemaVersion": 2,
            "mediaType": OCI,
            "config": {"mediaType": "application/octet-stream", "digest": str(blob), "size": size},
            "layers": [],
        }
        digest = pushing.put_manifest(repository, "big", OCI, json.dumps(document).encode())
        head = pushing.head_manifest(repository, "big")
        assert head is not None
        assert head.digest == digest
        assert pushing.delete_manifest(repository, digest)
        assert pushing.head_manifest(repository, "big") is None


def test_the_certificate_passes_the_strictest_client_and_is_for_the_address(ca: str) -> None:
    pem = ssl.get_server_certificate((ADDRESS, PORT))
    assert pem != ca
    with (
        contextlib.closing(socket.create_connection((ADDRESS, PORT), 10)) as plain,
        strict_context(ca).wrap_socket(plain, server_hostname=ADDRESS) as tls,
    ):
        peer = t.cast("dict[str, t.Any]", tls.getpeercert())
    assert ("IP Address", ADDRESS) in peer["subjectAltName"]
    assert ssl.cert_time_to_seconds(peer["notAfter"]) - time.time() > 30 * 86400
    shown = on_host("openssl", "x509", "-in", f"{DIRECTORY}/ca.crt", "-noout", "-ext", "keyUsage,basicConstraints")
    assert shown.count("critical") == 2
    assert "Certificate Sign, CRL Sign" in shown
    server = on_host("openssl", "x509", "-in", f"{DIRECTORY}/server.crt", "-noout", "-ext", "extendedKeyUsage")
    assert "TLS Web Server Authentication" in server


def test_secrets_are_for_root_and_nginx_alone(ca: str) -> None:
    modes = on_host("sh", "-c", f"cd {DIRECTORY} && stat -c '%n %a %U:%G' ca.key server.key htpasswd").splitlines()
    assert modes == ["ca.key 600 root:root", "server.key 600 root:root", "htpasswd 640 root:www-data"]
    assert re.fullmatch(r"ci:\$2y\$05\$\S{53}\n", on_host("cat", f"{DIRECTORY}/htpasswd"))


def test_a_second_run_changes_nothing_in_one_round_trip(ca: str) -> None:
    before, running = files(), processes()
    output = play("-vvv")
    assert changed(output) == 0
    assert output.count("SSH: EXEC") == 1
    assert LOGIN["password"] not in output
    assert (files(), processes()) == (before, running)
    assert changed(play("--check", "--diff")) == 0


def test_images_survive_a_restart_of_both_services(ca: str, repository: str, image: ManifestDigest) -> None:
    on_host("systemctl", "restart", BACKEND, NGINX)

    def is_there() -> bool:
        with client(ca) as pulling, contextlib.suppress(RegistryError):
            return bool(pulling.get_manifest(repository, image).document["layers"])
        return False

    eventually(is_there)


def test_both_services_start_with_the_host(ca: str) -> None:
    assert on_host("systemctl", "is-enabled", NGINX, BACKEND).split() == ["enabled", "enabled"]


def test_check_mode_says_what_would_change_and_no_password(ca: str) -> None:
    before = files()
    output = play("-vvv", "--diff", "--check", registry_users=[{"name": "dev", "password": "another-password"}])
    assert changed(output) == 1, "what is said"
    assert "user dev is missing" in output
    assert "user ci" not in output, "the one of longshore_registry is there too"
    assert files() == before
    for secret in (LOGIN["password"], "another-password", "$2y$"):
        assert secret not in output
