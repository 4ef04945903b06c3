# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Another authority follows that of the registry, while the engines of its host pull."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest

from tests.integration.asking import eventually

from .engines import TRUSTED, authorities, pulling, trust_of_nodes, with_one_gone
from .lab import DIRECTORY, SITE, changed, client, kill_at, on_host, play, processes, served_certificate
from .traffic import pull_strictly, push

pytestmark = [pytest.mark.lab, pytest.mark.wide]

AUTHORITY = f"{DIRECTORY}/ca.crt"
LEDGER = "/var/lib/longshore/registry.json"
KEPT = "/root/registry-before"
# tasks of a rotation, each begun when the one before it has changed something
KILLED_AT = [
    "Have clients told of both",
    "Sign the certificate",
    "Have clients told of the new one alone",
]


def signs(authority: str) -> bool:
    """Whether what is served is of this authority."""
    on_host("tee", "/tmp/authority", stdin=authority)
    on_host("tee", "/tmp/served", stdin=served_certificate())
    said = on_host("sh", "-c", "openssl verify -x509_strict -CAfile /tmp/authority /tmp/served 2>&1 || true")
    return said.strip() == "/tmp/served: OK"


@pytest.fixture(scope="module")
def trusting(ca: str) -> t.Iterator[None]:
    """The engines of the registry's host trust it; afterwards they know nothing of it, and the authority is the one of before."""
    on_host("cp", "--archive", DIRECTORY, KEPT)
    on_host("cp", "--archive", LEDGER, f"{KEPT}.json")
    play(playbook="trust")
    yield
    play(playbook="trust", registry_trust_state="absent")
    on_host(
        "sh", "-c", f"rm -r {DIRECTORY} && mv {KEPT} {DIRECTORY} && mv {KEPT}.json {LEDGER} && systemctl reload nginx"
    )
    eventually(lambda: signs(ca), 30)  # a reload is asked for and not waited for


def as_told(repository: str) -> t.Callable[[], None]:
    """A client that trusts what the nodes are told."""
    with client("".join(authorities(AUTHORITY))) as pushing:
        image = push(pushing, repository, os.urandom(200_000), "1")
    return lambda: pull_strictly(trust_of_nodes(), repository, image)


def test_every_engine_pulls_while_another_authority_follows(trusting: None, repository: str, tmp_path: Path) -> None:
    (before,), running, site = authorities(AUTHORITY), processes(), on_host("cat", SITE)
    served = served_certificate()
    with pulling(as_told(repository), {"ca": before}):
        said = " ".join(play(playbook="rotate_authority", hosts=with_one_gone(tmp_path / "gone.yml"), ok=False).split())
        assert "gone has not followed" in said
        assert "The certificate stays as it is" in said
        first, after = authorities(AUTHORITY)
        assert first == before
        assert authorities(TRUSTED) == [before, after]
        assert served_certificate() == served
        assert changed(play()) == 0, "both are told of until the rotation goes on"

        play(playbook="rotate_authority")
        assert authorities(AUTHORITY) == authorities(TRUSTED) == [after]
        assert signs(after)
        assert not signs(before)
        assert changed(play()) == 0
    assert (processes(), on_host("cat", SITE)) == (running, site), "a reload does"
    assert "next" not in on_host("ls", DIRECTORY)


@pytest.mark.rare
def test_a_rotation_goes_as_far_as_it_is_told(trusting: None, repository: str) -> None:
    (before,) = authorities(AUTHORITY)
    with pulling(as_told(repository), {"ca": before}):
        play(playbook="rotate_authority", rotate_authority_until="announced")
        announced = authorities(AUTHORITY)
        assert (announced[:1], len(announced), signs(before)) == ([before], 2, True)
        assert authorities(TRUSTED) == announced
        play(playbook="rotate_authority", rotate_authority_until="turned")
        after = announced[1]
        assert authorities(AUTHORITY) == [after, before]
        assert sorted(authorities(TRUSTED)) == sorted(announced)
        assert signs(after)
        play(playbook="rotate_authority")
        assert authorities(AUTHORITY) == authorities(TRUSTED) == [after]
        assert changed(play(playbook="rotate_authority", rotate_authority_until="announced")) > 0
        play(playbook="rotate_authority")


@pytest.mark.rare
def test_a_rotation_that_is_killed_goes_on_from_there(trusting: None, repository: str) -> None:
    (before,), running = authorities(AUTHORITY), processes()
    with pulling(as_told(repository), {"ca": before}):
        for task in KILLED_AT:
            kill_at(task, playbook="rotate_authority")
        play(playbook="rotate_authority")
    (after,) = authorities(AUTHORITY)
    assert after != before
    assert authorities(TRUSTED) == [after]
    assert signs(after)
    assert changed(play()) == 0
    assert processes() == running
    assert "next" not in on_host("ls", DIRECTORY)
