# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run another program, or say which one failed and what it said."""

from __future__ import annotations

import fcntl
import os
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

LAST_LINES = 25
UNREAD = 2**20  # bytes
_kept_open: list[int] = []


@dataclass(frozen=True)
class Completed:
    """A program that ended: exit code and what it wrote."""

    rc: int
    stdout: str
    stderr: str


@contextmanager
def keep_open(descriptor: int) -> Iterator[None]:
    """Have what is run meanwhile keep this file open: a lock on it is held until the last of those has ended, too.

    So a program that outlives a killed run of the lab is waited for by the next one.
    """
    _kept_open.append(descriptor)
    try:
        yield
    finally:
        _kept_open.remove(descriptor)


def run(
    argv: Sequence[str],
    *,
    data: bytes | None = None,
    check: bool = True,
    environment: Mapping[str, str] | None = None,
    timeout: float | None = None,
    starts_services: bool = False,
) -> Completed:
    """Run argv to its end, `data` as its standard input. Raises LabError on failure unless check is False.

    Without check a program that is not here is one that failed: exit code 127, as a shell has it. What starts services
    is not given what keep_open names: they would keep it for good.
    """
    try:
        done = subprocess.run(
            list(argv),
            input=data,
            stdin=subprocess.DEVNULL if data is None else None,
            capture_output=True,
            check=False,
            timeout=timeout,
            env={**os.environ, **(environment or {})},
            pass_fds=() if starts_services else _kept_open,
        )
    except OSError as error:
        missing = f"{argv[0]} could not be run: {error.strerror}."
        if check:
            raise LabError(missing) from error
        return Completed(127, "", missing)
    except subprocess.TimeoutExpired as error:
        raise LabError(f"`{' '.join(argv)}` did not end within {timeout:.0f} s.") from error
    completed = Completed(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
    if check and completed.rc != 0:
        said = [*completed.stdout.strip().splitlines()[-LAST_LINES:], *completed.stderr.strip().splitlines()]
        raise failure(argv, completed.rc, "\n".join(said))
    return completed


def stream(
    argv: Sequence[str],
    on_line: Callable[[str], None],
    *,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    outlives: bool = False,
) -> None:
    """Run argv and hand over each line it writes, errors among them. Raises LabError with its last lines on failure.

    What `outlives` a killed run of the lab has the other end of its output too, and so can go on to write (UNREAD bytes at most).
    Of ansible-playbook the thread that shows results would end otherwise, for which it waits without an end (seen with 2.19.14).
    """
    lines: list[str] = []
    reading, writing = os.pipe()
    try:
        if outlives:
            fcntl.fcntl(reading, fcntl.F_SETPIPE_SZ, UNREAD)
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=writing,
            stderr=subprocess.STDOUT,
            cwd=directory,
            env={**os.environ, **(environment or {})},
            pass_fds=[*_kept_open, *([reading] if outlives else [])],
        )
    except OSError as error:
        os.close(reading)
        raise LabError(f"{argv[0]} could not be run: {error.strerror}.") from error
    finally:
        os.close(writing)
    with process, open(reading, encoding="utf-8", errors="replace") as output:
        for line in output:
            text = line.rstrip()
            lines = [*lines[-LAST_LINES + 1 :], text]
            on_line(text)
    if process.returncode != 0:
        raise failure(argv, process.returncode, "\n".join(lines))


def failure(argv: Sequence[str], rc: int, said: str) -> LabError:
    """The error of a program that failed: which, its exit code and its words."""
    return LabError(f"`{' '.join(argv)}` failed with exit code {rc}:\n{said or '(it said nothing)'}")
