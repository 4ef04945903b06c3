# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A firewall on the registry's host lets clients through where the role was asked for that, and for as long."""

from __future__ import annotations

import contextlib
import socket
import typing as t

import pytest

from .lab import ADDRESS, PORT, changed, on_host, play, said_differences

pytestmark = [pytest.mark.lab, pytest.mark.wide]

OTHERS = "10.254.0.0/16"


@pytest.fixture
def firewall(ca: str) -> t.Iterator[None]:
    """ufw is on, and lets SSH through, and somebody else to the registry."""
    on_host(
        "sh",
        "-c",
        "DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends ufw >/dev/null 2>&1",
    )
    on_host("ufw", "allow", "22/tcp")
    on_host("ufw", "allow", "proto", "tcp", "from", OTHERS, "to", "any", "port", str(PORT))
    on_host("ufw", "--force", "enable")
    yield
    on_host("ufw", "disable")
    on_host("apt-get", "purge", "--yes", "--quiet", "ufw")


def is_reached() -> bool:
    with contextlib.suppress(OSError), socket.create_connection((ADDRESS, PORT), 2):
        return True
    return False


def rules() -> list[str]:
    return [line for line in on_host("ufw", "show", "added").splitlines() if str(PORT) in line]


@pytest.mark.rare
def test_it_is_opened_for_whom_it_is_asked_for(firewall: None) -> None:
    theirs = rules()
    assert not is_reached()
    assert changed(play("--check", registry_firewall="ufw")) > 0
    assert rules() == theirs
    output = play(registry_firewall="ufw")
    assert said_differences(output) == [
        f"ufw does not let 0.0.0.0/0 to port {PORT}",
        f"ufw does not let ::/0 to port {PORT}",
    ]
    assert is_reached()
    assert changed(play(registry_firewall="ufw")) == 0

    only: dict[str, t.Any] = {"registry_firewall": "ufw", "registry_firewall_sources": ["192.0.2.0/24", OTHERS]}
    output = play(**only)
    assert len(said_differences(output)) == 3, "theirs is as good"
    assert not is_reached()
    assert len(rules()) == 2
    assert changed(play(**only)) == 0

    play(registry_state="absent")
    assert rules() == theirs
    play()


def test_a_firewall_that_is_not_there_is_refused(ca: str) -> None:
    output = play(ok=False, registry_firewall="ufw", registry_firewall_sources=["nobody"])
    said = " ".join(output.split())
    assert "there is no ufw on this host" in said
    assert "registry_firewall_sources has 'nobody'" in said
    assert changed(output) == 0
