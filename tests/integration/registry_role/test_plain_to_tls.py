# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A registry that spoke plain HTTP speaks TLS at the same port, while the engines of its host pull and a client pushes."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings

from .engines import pulling, trust_of_nodes, with_one_gone
from .lab import ADDRESS, PORT, REGISTRY, changed, play, processes
from .traffic import Pulls, pull_strictly, push

pytestmark = [pytest.mark.lab, pytest.mark.wide]

PLAIN = {**REGISTRY, "tls": "plain"}


def plain_client() -> RegistryClient:
    return RegistryClient(RegistrySettings.from_params(PLAIN))


def plain_status() -> int:
    """What a client gets over plain HTTP that does not log in."""
    connection = http.client.HTTPConnection(ADDRESS, PORT, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", "/v2/")
        return connection.getresponse().status


@pytest.fixture(scope="module")
def plain(ca: str) -> t.Iterator[None]:
    """The registry speaks plain HTTP, as the engines of its host are told."""
    play(longshore_registry=PLAIN)
    yield
    play(longshore_registry=REGISTRY)


def pull(repository: str, image: ManifestDigest) -> None:
    """As the nodes are told to: by TLS once they trust an authority."""
    authority = trust_of_nodes()
    if authority:
        pull_strictly(authority, repository, image)
        return
    with plain_client() as pulling_plainly:
        pulling_plainly.get_manifest(repository, image)


@pytest.mark.rare
def test_every_engine_pulls_while_the_registry_changes_to_tls(plain: None, repository: str, tmp_path: Path) -> None:
    running = processes()
    with plain_client() as pushing:
        image = push(pushing, repository, os.urandom(200_000), "1")
    play(playbook="trust", longshore_registry=PLAIN)
    advice = "The playbook longshore.delivery.plain_to_tls changes both with no failed pull."
    assert advice in " ".join(play("--check").split())
    try:
        with pulling(lambda: pull(repository, image), PLAIN):
            said = " ".join(play(playbook="plain_to_tls", hosts=with_one_gone(tmp_path / "gone.yml"), ok=False).split())
            assert advice not in said
            assert "gone has not followed" in said
            assert "The registry goes on to answer plain HTTP beside TLS" in said
            assert plain_status() == 401

            with plain_client() as pushing:
                layer = os.urandom(5_000_000)
                assert pushing.get_blob(repository, pushing.push_blob(repository, layer)) == layer

            with Pulls(lambda: None if plain_status() == 401 else "refused") as left:
                given = {"plain_to_tls_quiet_seconds": 5, "plain_to_tls_patience": 2}
                said = " ".join(play(playbook="plain_to_tls", ok=False, **given).split())
            # with those that asked a moment ago
            named = re.search(
                r"still asked over plain HTTP, at last \(in 100 requests\) by ([0-9., ]+)\. It goes on", said
            )
            assert named, said
            assert "10.90.0.1" in named[1].split(", ")
            assert left.failures == []

            play(playbook="plain_to_tls", plain_to_tls_quiet_seconds=5)
            assert plain_status() == 400
            assert changed(play()) == 0
        assert processes() == running, "a reload does"
    finally:
        play(playbook="trust", registry_trust_state="absent")
    assert trust_of_nodes() == ""
