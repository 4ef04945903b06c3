# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What cannot be is refused in one clear error, before anything is changed."""

from __future__ import annotations

import typing as t

import pytest

from tests.unit.module_utils.registry.certificates import Certificates

from .lab import ADDRESS, REGISTRY, changed, files, play, processes

pytestmark = pytest.mark.lab


def refused(**variables: t.Any) -> str:
    before, running = files(), processes()
    output = play(ok=False, **variables)
    assert changed(output) == 0
    assert (files(), processes()) == (before, running)
    return " ".join(output.split())


def test_a_port_in_use_is_refused(ca: str) -> None:
    said = refused(longshore_registry={**REGISTRY, "endpoint": f"{ADDRESS}:22"})
    for word in ("Port 22", "sshd (process", "Stop that process, or give the endpoint another port"):
        assert word in said


def test_an_endpoint_that_is_none_is_refused(ca: str) -> None:
    assert "it has a scheme" in refused(longshore_registry={**REGISTRY, "endpoint": "http://registry"})


@pytest.mark.parametrize(
    ("playbook", "known"),
    [("rotate_authority", "announced, turned and dropped"), ("rotate_registry_users", "added and removed")],
)
def test_a_rotation_that_is_to_go_nowhere_is_refused(playbook: str, known: str) -> None:
    said = " ".join(play(playbook=playbook, ok=False, **{f"{playbook}_until": "home"}).split())
    assert f"{playbook}_until is 'home'; {known} are known." in said


def test_all_that_is_in_the_way_is_said_at_once(ca: str, certificates: Certificates) -> None:
    said = refused(
        longshore_registry={**REGISTRY, "password": "", "ca": certificates.authority().pem},
        registry_backend_port=22,
        registry_users=[{"name": "dev", "password": "one-password"}, {"name": "dev", "password": "another-password"}],
        registry_addresses=["203.0.113.9"],
        registry_data="/etc/hostname",
    )
    for word in (
        "user 'ci' has no password",
        "user 'dev' is there more than once",
        "Port 22 of this host is in use by sshd",
        "set registry_backend_port to another port",
        "no address 203.0.113.9",
        "/etc/hostname is to be a directory",
        "Give registry_certificate and registry_certificate_key too",
    ):
        assert word in said
    assert "another-password" not in said


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("key", ["it is not the certificate of its key", "Give one that fits its key"]),
        ("authority", ["its certificate was issued by 'Another'", "nor does the given 'ca' ('One') vouch for it"]),
        pytest.param("expired", ["its certificate has expired (valid from", "Renew it"], marks=pytest.mark.wide),
        pytest.param("name", ["its certificate is for a.example, not for", "Issue one with"], marks=pytest.mark.wide),
    ],
)
def test_a_certificate_that_does_not_fit_is_refused(
    ca: str, certificates: Certificates, fault: str, words: list[str]
) -> None:
    """Every way of not fitting: tests/unit/module_utils/registry/test_host_facts.py."""
    one, another = certificates.authority("One"), certificates.authority("Another")
    issued = certificates.issue(
        ADDRESS,
        ["a.example" if fault == "name" else ADDRESS],
        another if fault == "authority" else one,
        (-9, -1) if fault == "expired" else (-1, 30),
    )
    key = certificates.issue(ADDRESS, [ADDRESS], one).key_file if fault == "key" else issued.key_file
    said = refused(
        registry_ca=one.pem,
        registry_certificate=issued.pem,
        registry_certificate_key=key.read_text(),
    )
    for word in ("cannot serve what registry_certificate has", *words):
        assert word in said
    assert "PRIVATE KEY" not in said


def test_a_certificate_that_would_be_due_at_once_is_refused(ca: str) -> None:
    assert "each would be due at once" in refused(registry_certificate_renew_days=365)


def test_users_that_are_lost_from_the_variables_open_nothing(ca: str) -> None:
    said = refused(longshore_registry={"endpoint": REGISTRY["endpoint"]})
    assert "asks for a login to push and delete (1 user, ci among them)" in said
    assert "set registry_without_users to true" in said
