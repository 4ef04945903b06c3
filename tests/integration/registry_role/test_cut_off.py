# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A first run, a removal and an upgrade that are killed at their steps: the next run completes them.

The upgrade comes first, and after it the host has no registry any more until the last test has ended.
"""

from __future__ import annotations

import os
import typing as t

import pytest

from tests.integration.asking import eventually
from tests.lab.builds import build
from tests.lab.engine import docker
from tests.lab.places import Places

from .host import HOST
from .lab import BACKEND, DATA, DIRECTORY, changed, client, kill_at, on_host, play, processes
from .test_absent import LEDGER, absent, installed, left, states, there
from .traffic import push

pytestmark = [pytest.mark.lab, pytest.mark.wide, pytest.mark.rare]

KEPT = "/root/registry-before"
PROGRAM = "/usr/local/lib/registry-cut-off"
# a removal is one call, of which the host is at work on some step when its controller goes
REMOVED_AT = ["Take away what the role put there", "Have the registry's name stand for this host no more"]
MADE_AT = [
    "Install the packages",
    "Make the authority",
    "Write the files, and see to owners and modes",
    "Run the registry",
    "Look again, as a client",
    "Note what was written, and keep no more",
]
UPGRADED_AT = [
    "Run the registry",
    "Restart the registry, and see that it serves what it did",
    "Look again, as a client",
]


@pytest.fixture
def program(ca: str) -> t.Iterator[None]:
    """Another release is on the host; afterwards the package's serves."""
    built = build(["registry"], Places.of_user().root, print)["registry"] / "registry"
    docker("cp", str(built), f"{HOST.container}:{PROGRAM}")
    yield
    play()
    on_host("rm", PROGRAM)


def test_an_upgrade_is_completed(ca: str, repository: str, program: None) -> None:
    with client(ca) as pushing:
        image = push(pushing, repository, os.urandom(1000), "cut-off")
        for task in UPGRADED_AT:
            kill_at(task, playbook="upgrade_registry", registry_program=PROGRAM)
        play(playbook="upgrade_registry", registry_program=PROGRAM)
        assert on_host("readlink", f"/proc/{processes()[BACKEND]}/exe").strip() == PROGRAM
        assert changed(play(playbook="upgrade_registry", registry_program=PROGRAM)) == 0
        assert pushing.head_manifest(repository, image)
        pushing.delete_manifest(repository, image)


@pytest.fixture(scope="module")
def no_registry(ca: str) -> t.Iterator[None]:
    """A host that has nothing of it; afterwards it is as the other tests want it."""
    on_host("cp", "--archive", DIRECTORY, KEPT)
    absent(registry_remove_data=True)
    assert (left(), installed(), there(LEDGER, DIRECTORY, DATA)) == (set(), set(), set())
    yield
    absent(registry_remove_data=True)
    on_host("sh", "-c", f"mkdir --parents {DIRECTORY} && mv {KEPT}/ca.* {DIRECTORY} && rm -r {KEPT}")
    play()
    assert on_host("cat", f"{DIRECTORY}/ca.crt") == ca


def no_apt() -> bool:
    """What a killed run has started goes on without it."""
    return on_host("sh", "-c", "pgrep -x 'apt-get|dpkg' || true") == ""


def test_a_first_run_is_completed_and_all_of_it_can_be_taken_away(no_registry: None) -> None:
    before = states()
    for task in MADE_AT:
        kill_at(task)
        eventually(no_apt, 120)
    play()
    assert changed(play()) == 0
    assert "before" not in on_host("ls", DIRECTORY)
    with client(on_host("cat", f"{DIRECTORY}/ca.crt")) as pushing:
        push(pushing, "cut-off/first", os.urandom(1000), "1")
    absent(registry_remove_data=True)
    assert (left(), installed(), there(LEDGER, DIRECTORY, DATA)) == (set(), set(), set())
    assert set(states()) == set(before)


def test_a_removal_is_completed(no_registry: None) -> None:
    play()
    for task in REMOVED_AT:
        kill_at(task, registry_state="absent", registry_remove_data=True)
    absent(registry_remove_data=True)
    assert changed(absent(registry_remove_data=True)) == 0
    assert (left(), installed(), there(LEDGER, DIRECTORY, DATA)) == (set(), set(), set())
