# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Podman's program is asked for a trial, and how much of what a command writes is read of it."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed
from ansible_collections.longshore.delivery.plugins.module_utils.running import run_command
from ansible_collections.longshore.delivery.plugins.module_utils.trial.container import Containers
from ansible_collections.longshore.delivery.plugins.module_utils.trial.engine import (
    LOOSE,
    MOST_READ,
    READ_ONLY,
    STRICT,
    Confinement,
)
from ansible_collections.longshore.delivery.plugins.module_utils.trial.observed import Answer
from ansible_collections.longshore.delivery.plugins.module_utils.trial.podman_trials import PodmanTrials

from .test_options_to_container import GIVEN
from .test_trial_options import wanted


class Created:
    """What C(podman create) is asked for a container with some options.

    :ivar words: of the command.
    :ivar environment: in which it runs.
    :ivar file: what is in its file of variables, which is gone afterwards.
    """

    def __init__(
        self, options: dict[str, t.Any], confinement: Confinement, env: dict[str, str], ports: tuple[int, ...] = ()
    ) -> None:
        self.words: list[str] = []
        self.environment: t.Mapping[str, str] = {}
        self.file = ""
        image = "sha256:" + "1" * 64
        containers = Containers(PodmanTrials("podman", self._run), wanted(**options), image, ports, 60)
        self.id = containers.start(confinement, env).id
        self.labels = {f"{name}={value}" for name, value in containers.labels.items()}

    def _run(self, argv: t.Sequence[str], *, environment: t.Any = None, **_more: t.Any) -> Completed:
        if argv[1] == "create":
            self.words, self.environment = list(argv), environment
            self.file = "".join(Path(path).read_text() for path in self.given("--env-file"))
        return Completed(0, "made\n", "")

    def given(self, option: str) -> list[str]:
        """Its values."""
        return [value for word, value in zip(self.words, self.words[1:]) if word == option]


def test_a_container_is_made_with_the_options() -> None:
    own = Created(GIVEN, STRICT, {"A": "1", "B": "2", "LC_ALL": "C"}, (81, 82))
    assert own.id == "made"
    assert own.words[-3:] == ["1" * 64, "run", "it"]
    assert (own.given("--env"), own.environment, own.file) == (["A", "B"], {"A": "1", "B": "2"}, "LC_ALL=C\n")
    assert [path for path in own.given("--env-file") if Path(path).exists()] == []
    assert (own.given("--user"), own.given("--publish")) == (["1234:5"], ["127.0.0.1::81/tcp", "127.0.0.1::82/tcp"])
    assert own.given("--memory") == own.given("--memory-swap") == [str(64 * 1024**2)]
    assert (own.given("--cpus"), own.given("--cap-drop")) == (["0.5"], ["ALL"])
    assert [directory.partition(":")[0] for directory in own.given("--tmpfs")] == ["/one", "/two"]
    assert {"--read-only", "--read-only-tmpfs=false", "--no-healthcheck"} <= set(own.words)
    assert own.given("--security-opt") == ["no-new-privileges"]
    assert set(own.given("--label")) == own.labels
    assert own.given("--name")[0].startswith("longshore-trial-")


def test_a_container_of_no_options_is_small_and_the_images_own() -> None:
    plain = Created({}, READ_ONLY, {})
    assert plain.words[-1] == "1" * 64
    for option in ("--env", "--env-file", "--user", "--publish", "--cap-drop"):
        assert plain.given(option) == []
    assert (plain.given("--memory"), plain.given("--cpus")) == ([str(256 * 1024**2)], ["1.0"])
    assert [directory.partition(":")[0] for directory in plain.given("--tmpfs")] == ["/tmp"]
    assert plain.given("--security-opt") == ["no-new-privileges"]
    loose = Created({}, LOOSE, {})
    assert loose.given("--tmpfs") == []
    assert "--read-only" not in loose.words


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
