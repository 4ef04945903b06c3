# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""How much room a file system has left for those who are not root."""

from __future__ import annotations

import dataclasses
import os
import typing as t

_MIB = 1024 * 1024
# for directories, and documents about what is written
_BESIDE = _MIB


@dataclasses.dataclass(frozen=True)
class Shortage:
    """Both in MiB, as they are told."""

    wanted: int
    free: int


def existing(path: str) -> str:
    """The path, or the nearest directory above it that is there."""
    path = os.path.abspath(path)
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return path


def free_bytes(system: os.statvfs_result) -> int:
    """What is left on a file system; -1 where it has no limits, as some have, which say 0."""
    return system.f_bavail * system.f_frsize if system.f_blocks else -1


def shortage(directory: str, sizes: t.Collection[int]) -> t.Optional[Shortage]:
    """Why files of these sizes, in bytes, do not fit below a directory that is there; None when they do."""
    free, size = free_bytes(os.statvfs(directory)), sum(sizes)
    if free < 0 or size + _BESIDE <= free:
        return None
    return Shortage(wanted=-(-size // _MIB) + 1, free=free // _MIB)
