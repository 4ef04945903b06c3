# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Podman's program is asked for a trial, and how much of what a command writes is read of it."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed
from ansible_collections.longshore.delivery.plugins.module_utils.running import run_command
from ansible_collections.longshore.delivery.plugins.module_utils.trial.engine import LOOSE, MOST_READ, Wish
from ansible_collections.longshore.delivery.plugins.module_utils.trial.observed import Answer
from ansible_collections.longshore.delivery.plugins.module_utils.trial.podman_trials import PodmanTrials

WISH = Wish(
    image="sha256:" + "1" * 64,
    name="trial",
    labels={},
    confinement=LOOSE,
    command=None,
    env={},
    user="",
    ports=(),
    memory=64 * 1024**2,
    cpus=1.0,
    tmpfs=(),
)


def test_a_container_is_made_without_a_health_check_and_by_an_id_that_podman_knows() -> None:
    asked: list[str] = []

    def run(argv: t.Sequence[str], **_more: t.Any) -> Completed:
        asked.extend(argv)
        return Completed(0, "made\n", "")

    assert PodmanTrials("podman", run).make(WISH) == "made"
    assert "--no-healthcheck" in asked
    assert asked[-1] == "1" * 64


@pytest.fixture
def podman(tmp_path: Path) -> PodmanTrials:
    """One whose C(podman exec) runs commands here."""
    program = tmp_path / "podman"
    program.write_text('#!/bin/sh\nshift 2\nexec "$@"\n')
    program.chmod(0o755)
    return PodmanTrials(str(program), run_command)


def test_a_command_s_exit_code_and_output_are_told_in_their_order(podman: PodmanTrials) -> None:
    assert podman.execute("x", ["sh", "-c", "echo a; echo b >&2; echo c; exit 3"], 60) == Answer(3, "a\nb\nc\n")
    assert podman.execute("x", ["sh", "-c", "kill -9 $$"], 60).status == 137
    assert podman.execute("x", ["true"], 60) == Answer(0, "")


def test_of_a_large_output_the_first_mebibyte_is_kept(podman: PodmanTrials) -> None:
    answer = podman.execute("x", ["sh", "-c", "yes | head -c 5000000; exit 3"], 60)
    assert (answer.status, len(answer.text)) == (3, MOST_READ)


def test_one_without_an_end_is_read_until_its_time_is_over(podman: PodmanTrials) -> None:
    assert podman.execute("x", ["yes", "aaaa"], 0.5).problem == "the command did not end within 0 s"
