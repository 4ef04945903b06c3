# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What keeps a function in the controller's process from leaving anything behind, also when it is interrupted."""

from __future__ import annotations

import os
import signal
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils import running
from ansible_collections.longshore.delivery.plugins.module_utils.interruption import Interrupted
from ansible_collections.longshore.delivery.plugins.module_utils.running import run_command
from ansible_collections.longshore.delivery.plugins.plugin_utils.front import same_interpreter
from ansible_collections.longshore.delivery.plugins.plugin_utils.in_process import as_a_process

from .playbook import lives

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture
def received() -> t.Iterator[list[int]]:
    """The signals that come to whoever was there before."""
    numbers: list[int] = []
    before = {number: signal.signal(number, lambda got, frame: numbers.append(got)) for number in SIGNALS}
    yield numbers
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_unwinds_and_is_delivered_again(tmp_path: Path, received: list[int], number: signal.Signals) -> None:
    steps: list[str] = []
    here, environment = Path.cwd(), dict(os.environ)

    def work() -> None:
        os.environ["LONGSHORE_PROBE"] = "left behind"
        try:
            os.kill(os.getpid(), number)
            steps.append("not interrupted")
        finally:
            for again in SIGNALS:  # as ansible-core and an impatient user send them
                os.kill(os.getpid(), again)
            assert Path.cwd() == tmp_path
            steps.append("cleaned up")

    with pytest.raises(Interrupted), as_a_process(str(tmp_path)):
        work()
    assert steps == ["cleaned up"]
    assert received == [number]
    assert (Path.cwd(), dict(os.environ)) == (here, environment)
    os.kill(os.getpid(), number)
    assert received == [number, number]


def test_what_is_not_interrupted_hears_no_signal(tmp_path: Path, received: list[int]) -> None:
    with as_a_process(str(tmp_path)):
        pass
    assert received == []


# each would last for a minute
COMMANDS = {
    "one that ends when told to": "echo $$; exec sleep 60",
    "one that does not": "trap '' TERM; echo $$; i=0; while [ $i -lt 60 ]; do sleep 1; i=$((i+1)); done",
}


@pytest.mark.parametrize("script", COMMANDS.values(), ids=COMMANDS)
def test_an_interrupted_command_ends(
    tmp_path: Path, received: list[int], monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    monkeypatch.setattr(running, "STOP_SECONDS", 0.5)
    processes: list[int] = []

    def interrupt(line: str) -> None:
        processes.append(int(line))
        os.kill(os.getpid(), signal.SIGINT)

    began = time.monotonic()
    with pytest.raises(Interrupted), as_a_process(str(tmp_path)):
        run_command(["sh", "-c", script], on_line=interrupt)
    [process] = processes
    assert not lives(process)
    assert time.monotonic() - began < 30
    assert received == [signal.SIGINT]


def test_a_large_input_and_a_large_output_do_not_wait_for_one_another() -> None:
    text = "x" * 70 + "\n"
    assert run_command(["cat"], stdin=text * 10000).stdout == text * 10000
    lines: list[str] = []
    assert run_command(["sh", "-c", "yes x | head -n 50000; yes y | head -n 50000 >&2"], on_line=lines.append).rc == 0
    assert sorted(lines) == ["x"] * 50000 + ["y"] * 50000


def test_an_input_and_lines_are_refused() -> None:
    both: dict[str, t.Any] = {"stdin": "in\n", "on_line": print}
    with pytest.raises(TypeError, match="not both"):
        run_command(["cat"], **both)


def test_an_interpreter_is_the_same_by_another_name_and_another_link_to_its_directory(tmp_path: Path) -> None:
    system, one, other = (tmp_path / name for name in ("system", "one", "other"))
    for directory in (system, one, other):
        directory.mkdir()
    (system / "python3").touch()
    for venv in (one, other):
        (venv / "python").symlink_to(system / "python3")
        (venv / "python3").symlink_to("python")
    (tmp_path / "link").symlink_to(one)
    assert same_interpreter(str(one / "python"), str(one / "python3"))
    assert same_interpreter(str(one / "python"), str(tmp_path / "link" / "python3"))
    assert not same_interpreter(str(one / "python"), str(other / "python"))
    assert not same_interpreter(str(one / "python"), str(system / "python3"))
