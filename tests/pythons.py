# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Pythons of this machine: on the PATH, and those of a version manager that its shims do not offer."""

from __future__ import annotations

import functools
import os
import subprocess
from pathlib import Path

import pytest

# on which nodes modules run
NODE_PYTHONS = tuple(f"3.{minor}" for minor in range(9, 15))


def places() -> list[Path]:
    """Where to look, the PATH first."""
    path = [Path(place) for place in os.environ["PATH"].split(os.pathsep) if place]
    return [*path, *sorted(Path.home().glob(".pyenv/versions/*/bin"))]


def starts(program: Path) -> bool:
    """A version manager's shim is there for every Python that any project of the user's has, and starts none of those."""
    return program.exists() and subprocess.run([program, "-c", ""], capture_output=True, check=False).returncode == 0


@functools.cache
def find_python(version: str) -> Path | None:
    """The interpreter itself, not the shim that starts it; None where there is none of this version, as in C(3.9)."""
    for place in places():
        program = place / f"python{version}"
        if starts(program):
            command: list[str | Path] = [program, "-c", "import sys; print(sys.executable)"]
            return Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())
    return None


def needed_python(version: str) -> Path:
    """The same, and where there is none the test that asks is skipped, which is printed and counted."""
    python = find_python(version)
    if python is None:
        pytest.skip(f"Python {version} is neither on the PATH nor among pyenv's versions")
    return python
