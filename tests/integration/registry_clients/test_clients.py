# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every client of a registry: while it changes how it is spoken to and who signs its certificate, with and without a login."""

from __future__ import annotations

import contextlib
import re
import typing as t

import pytest

from tests.integration.registry_role.lab import LOGIN
from tests.integration.registry_trust.lab import CRI, on
from tests.integration.registry_trust.registries import Served

from .clients import Client, Cri, Login
from .pulls import Pulls
from .site import HOST, PLAIN, REGISTRY, play

pytestmark = [pytest.mark.lab, pytest.mark.wide]

USER = (LOGIN["username"], LOGIN["password"])
WRONG = (LOGIN["username"], "not-the-password")


@contextlib.contextmanager
def pulling(served: Served, login: Login) -> t.Iterator[None]:
    """Every engine of the cluster pulls all the while, each an image of its own; none of it fails."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Pulls(engine, served.push(), login)) for engine in CRI]
        yield
    assert [failure for client in clients for failure in client.failures] == []
    print({str(client.engine): client.count for client in clients})
    assert min(client.count for client in clients) > 5


def authority() -> str:
    return on(HOST, "cat", "/etc/longshore/registry/ca.crt").stdout


@pytest.mark.rare
def test_every_engine_of_the_cluster_pulls_while_the_registry_changes_to_tls(site: None) -> None:
    play("registry", PLAIN)
    play("trust", PLAIN)
    with pulling(Served(PLAIN), None):
        play("plain_to_tls", plain_to_tls_quiet_seconds=2)
    assert Served({**REGISTRY, "ca": authority()}).push()


@pytest.fixture(scope="module")
def tls(site: None) -> str:
    """The registry speaks TLS, and every node knows. Its authority."""
    play("registry")
    play("trust")
    return authority()


@pytest.mark.rare
def test_every_engine_of_the_cluster_pulls_while_another_authority_follows(tls: str) -> None:
    with pulling(Served({**REGISTRY, "ca": tls}), USER):
        play("rotate_authority")
    assert authority() != tls


@pytest.fixture
def served(tls: str) -> Served:
    return Served({**REGISTRY, "ca": authority()})


def test_each_client_pulls_without_a_login_and_pushes_with_one(served: Served, pushing: Client) -> None:
    here = served.push()
    there = here.rpartition(":")[0] + ":pushed"
    try:
        assert pushing.pull(here, None) is None
        for login in (None, WRONG):
            refused = pushing.push(here, there, login) or ""
            assert re.search("unauthorized|denied|401|403|no basic auth|authenticat", refused), refused
            assert not refused.startswith("124:"), "at once, not after a minute of tries"
        assert pushing.push(here, there, USER) is None
        pushing.forget(there)
        assert pushing.pull(there, USER) is None
    finally:
        pushing.forget(here, there)


def test_each_engine_of_the_cluster_pulls_without_a_login_and_with_one(served: Served, cri: Cri) -> None:
    image = served.push()
    try:
        assert cri.pull(image, None) is None
        cri.forget(image)
        assert cri.pull(image, USER) is None
    finally:
        cri.forget(image)
