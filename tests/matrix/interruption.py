# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a command of this checkout, to its end or up to a point at which it is interrupted."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import time
import typing as t
import uuid
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
# in the environment of every process that comes of these commands, and so in that of what one leaves behind
MARK = f"LONGSHORE_TEST_{uuid.uuid4().hex}"


@dataclass(frozen=True)
class Point:
    """When a command is interrupted: `delay` seconds after it began or after a line with the words `after`; and how.

    "Ctrl-C" is SIGINT to all of its processes, as a terminal sends it; "killed" is SIGKILL to all, "killed alone" to the
    first: what that had run goes on.
    """

    how: str
    after: str = ""
    delay: float = 0.0

    def __str__(self) -> str:
        return f"{self.how} {self.delay} s after {self.after or 'the start'}"


def _started(*arguments: str, **options: t.Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=CHECKOUT,
        env={**os.environ, MARK: "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )


def finished(*arguments: str) -> str:
    """What `python -m` with these arguments says, which has to succeed."""
    with _started(*arguments) as process:
        said, _nothing = process.communicate()
    assert process.returncode == 0, said
    return said


def interrupted(point: Point, *arguments: str) -> str:
    """What `python -m` with these arguments says until it is interrupted there, and of that."""
    process = _started(
        *arguments,
        start_new_session=True,
        # a shell that runs these tests in the background has it ignored
        preexec_fn=functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    said = ""
    with process:
        while point.after not in said and (line := process.stdout.readline()):
            said += line
        time.sleep(point.delay)
        assert process.poll() is None, f"it ended before it could be interrupted ({point}):\n{said}"
        if point.how == "killed alone":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGINT if point.how == "Ctrl-C" else signal.SIGKILL)
        said += process.stdout.read()
    if point.how == "Ctrl-C":
        assert process.returncode == 130, f"{point}: {process.returncode}\n{said}"
        assert "Traceback" not in said
    return said


def left_running() -> list[str]:
    """Processes that come of these commands, as "number command line"."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}=1".encode() in (directory / "environ").read_bytes().split(b"\0"):
                command = (directory / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found.append(f"{directory.name} {command}")
        except OSError:  # it ended meanwhile
            continue
    return found
