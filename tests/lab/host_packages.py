# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Have the programs that the lab needs of its host: Debian's packages where they are missing, else what to do."""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from .command import run
from .debian import HOST_NEEDS
from .errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .places import Places
    from .progress import Progress

ENVIRONMENT = {"DEBIAN_FRONTEND": "noninteractive"}
OS_RELEASE = Path("/etc/os-release")
LOCKS = ("/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock")
PATIENCE = 300  # seconds for another apt or dpkg to end
_refreshing = threading.Lock()
_refreshed = False


def distribution(os_release: str) -> set[str]:
    """ID and ID_LIKE of an os-release file's text."""
    values: set[str] = set()
    for line in os_release.splitlines():
        key, _equals, value = line.partition("=")
        if key in {"ID", "ID_LIKE"}:
            values.update(value.strip().strip("\"'").split())
    return values


def kin() -> set[str]:
    """The distribution here and those that it is like."""
    return distribution(OS_RELEASE.read_text(encoding="utf-8")) if OS_RELEASE.is_file() else set()


def allowed() -> bool:
    """Whether the lab installs packages here: as root on Debian or Ubuntu."""
    return os.geteuid() == 0 and bool(kin() & {"debian", "ubuntu"})


def missing(programs: Iterable[str]) -> list[str]:
    """Those of the programs (keys of HOST_NEEDS) that are not here or lack a file."""
    return [program for program in dict.fromkeys(programs) if not _usable(program)]


def install(programs: Iterable[str], places: Places, progress: Progress) -> None:
    """Install what brings those of the programs that are missing. Raises LabError where the lab must not, or it fails."""
    begun = places.installing.read_text(encoding="ascii").split() if places.installing.exists() else []
    wanted = list(dict.fromkeys([*begun, *missing(programs)]))
    if not wanted:
        return
    packages = list(dict.fromkeys(package for program in wanted for package in HOST_NEEDS[program].packages))
    if not allowed():
        raise LabError(
            f"The lab needs {' and '.join(wanted)}, which this machine lacks, and installs it only as root on Debian or "
            f"Ubuntu. Install {' '.join(packages)} (or what your system calls it) and run this again."
        )
    progress(f"host: installing {' '.join(packages)} from {'Ubuntu' if 'ubuntu' in kin() else 'Debian'}, with apt-get")
    places.installing.parent.mkdir(parents=True, exist_ok=True)
    places.installing.write_text("\n".join(wanted), encoding="ascii")
    if begun:
        _finish_interrupted()
    refresh()
    command = ["apt-get", "-q", "-y", "-o", f"DPkg::Lock::Timeout={PATIENCE}", "install", "--no-install-recommends"]
    run([*command, *packages], environment=ENVIRONMENT, starts_services=True)
    left = missing(wanted)
    if left:
        raise LabError(f"{' '.join(packages)} are installed, and {' and '.join(left)} is still not on PATH.")
    places.installing.unlink()


def refresh() -> None:
    """Have apt know what its mirror has now, once in a process: on a new machine it knows nothing. Raises LabError."""
    global _refreshed
    with _refreshing:
        if not _refreshed:
            run(["apt-get", "-q", "update"], environment=ENVIRONMENT)
        _refreshed = True


def _finish_interrupted() -> None:
    """Have dpkg end what a killed apt left half done, which it refuses to do anything before; it may be at it still."""
    for path in LOCKS:
        with open(path, "w", encoding="ascii") as lock:
            fcntl.lockf(lock, fcntl.LOCK_EX)
    run(["dpkg", "--configure", "--pending"], environment=ENVIRONMENT, starts_services=True)


def _usable(program: str) -> bool:
    return shutil.which(program) is not None and all(Path(file).exists() for file in HOST_NEEDS[program].files)
