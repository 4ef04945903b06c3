# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs that are run, and what becomes of them when who ran them is killed."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.lab.command import stream
from tests.lab.errors import LabError

CHECKOUT = Path(__file__).resolve().parents[3]
CHILD = """
import pathlib, sys, time
directory = pathlib.Path(sys.argv[1])
print("begun", flush=True)
while not (directory / "killed").exists():
    time.sleep(0.02)
print("x" * 100_000, flush=True)
(directory / "ended").touch()
"""
PARENT = f"""
import sys
from tests.lab.command import stream
stream([sys.executable, "-c", {CHILD!r}, sys.argv[1]], lambda line: print(line, flush=True), outlives=True)
"""


def test_what_outlives_a_killed_run_can_write_to_its_end(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, tmp_path], stdout=subprocess.PIPE, text=True, cwd=CHECKOUT
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "begun\n"
        run.kill()
        run.wait()
        (tmp_path / "killed").touch()
        limit = time.monotonic() + 30
        while not (tmp_path / "ended").exists():
            assert time.monotonic() < limit
            time.sleep(0.02)


def test_lines_come_as_they_are_written_and_the_last_ones_are_in_the_error() -> None:
    lines: list[str] = []
    with pytest.raises(LabError, match=r"failed with exit code 3:\n1\nlast"):
        stream([sys.executable, "-c", "print(1); import sys; sys.stderr.write('last\\n'); sys.exit(3)"], lines.append)
    assert lines == ["1", "last"]


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(LabError, match=r"/nonesuch could not be run: No such file"):
        stream(["/nonesuch"], lambda line: None)
