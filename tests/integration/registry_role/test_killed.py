# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The registry, nginx and the role are killed, and the role runs twice at once: nothing is lost, the next run completes."""

from __future__ import annotations

import http.client
import os
import signal
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from tests.integration.asking import eventually

from .garbage import serves
from .lab import (
    BACKEND,
    DIRECTORY,
    NGINX,
    begin,
    changed,
    client,
    files,
    kill_at,
    on_host,
    play,
    processes,
    until,
)
from .traffic import Halfway, Pulls, Traffic, pull_strictly, push

pytestmark = [pytest.mark.lab, pytest.mark.wide]

# a change by which neither service restarts
CHANGE: dict[str, t.Any] = {
    "registry_users": [{"name": "dev", "password": "another-password"}],
    "registry_names": ["registry.lab.example"],
    "registry_collect": "Sun 03:30",
}
KILLED_AT = [
    "Sign the certificate",
    "Write the file of users",
    "Let nginx check its configuration",
    "Look again, as a client",
]


def main_process(unit: str) -> str:
    """Its number; 0 while there is none."""
    return on_host("systemctl", "show", "--property", "MainPID", "--value", unit).strip()


def assert_whole(ca: str, repository: str, image: ManifestDigest) -> None:
    with client(ca) as pulling:
        found = pulling.head_manifest(repository, "1")
        assert found is not None
        assert found.digest == image
        for layer in pulling.get_manifest(repository, image).layers:
            assert layer.matches(pulling.get_blob(repository, layer))


def test_a_registry_that_is_killed_in_a_push_is_back_by_itself(ca: str, repository: str, image: ManifestDigest) -> None:
    halfway = Halfway(ca, repository)
    halfway.send_half()
    before = processes()[BACKEND]
    on_host("kill", "-KILL", before)
    with pytest.raises((OSError, http.client.HTTPException, AssertionError)):
        halfway.send_rest()
    eventually(lambda: serves(ca), 20)
    assert processes()[BACKEND] != before
    assert_whole(ca, repository, image)
    with client(ca) as pushing:
        again = push(pushing, repository, os.urandom(200_000), "again")
    with client(ca) as pushing:
        assert pushing.delete_manifest(repository, again)
    assert changed(play()) == 0


def test_an_nginx_that_is_killed_is_back_by_itself(ca: str, repository: str, image: ManifestDigest) -> None:
    killed = {"0"}
    for _time in range(6):  # which is more than systemd's own limit of starts lets it be
        killed.add(processes()[NGINX])
        on_host("kill", "-KILL", processes()[NGINX])
        eventually(lambda: main_process(NGINX) not in killed and serves(ca), 20)
    assert_whole(ca, repository, image)
    assert changed(play()) == 0


def test_a_run_that_is_killed_fails_no_pull_and_the_next_one_completes(
    ca: str, repository: str, image: ManifestDigest
) -> None:
    running = processes()
    with Pulls(lambda: pull_strictly(ca, repository, image)) as pulls:
        for task in KILLED_AT:
            kill_at(task, **CHANGE)
        assert "before" in on_host("ls", DIRECTORY)
        play(**CHANGE)
        assert changed(play(**CHANGE)) == 0
        assert "before" not in on_host("ls", DIRECTORY)
        play()
    assert pulls.failures == []
    assert pulls.count > 50
    assert processes() == running
    assert_whole(ca, repository, image)


def test_of_two_runs_at_once_one_changes_the_registry_and_the_other_says_which(
    ca: str, repository: str, image: ManifestDigest
) -> None:
    running = processes()
    with Traffic(ca, repository, image) as traffic:
        first = begin(**CHANGE)
        try:
            until("Let nginx check its configuration", first)  # at which nothing is written
            os.killpg(first.pid, signal.SIGSTOP)
            before = files()
            refused = " ".join(play(ok=False).split())
            assert f"process {first.pid} of " in refused
            assert "Another run of the role changes the registry without a registry_instance on this host" in refused
            assert files() == before
        finally:
            os.killpg(first.pid, signal.SIGCONT)
            said = first.communicate()[0]
        assert first.returncode == 0, said[-8000:]
        assert changed(play(**CHANGE)) == 0

        both = [begin(), begin()]
        outputs = [process.communicate()[0] for process in both]
        play()
        assert changed(play()) == 0
    print([line for output in outputs for line in output.splitlines() if "fatal:" in line])
    assert traffic.failures == []
    assert processes() == running
    assert_whole(ca, repository, image)
