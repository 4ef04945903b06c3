# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Copies of files that a change may replace, on the host itself and for root alone, for as long as it may fail."""

from __future__ import annotations

import contextlib
import os
import shutil
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils import atomic


def keep(files: t.Iterable[str], directory: str) -> None:
    """Copy files into a directory, under their last names, with owners, modes, times and labels; not those that are gone.

    A link is copied as what it leads to.

    :raises OSError: one of them cannot be copied.
    """
    paths = list(files)
    if not paths:
        return
    atomic.make_directories(os.path.dirname(directory))
    atomic.make_directories(directory, 0o700)
    os.chmod(directory, 0o700)
    for path in paths:
        copy = os.path.join(directory, os.path.basename(path))
        with contextlib.suppress(FileNotFoundError):
            found = os.stat(path)
            shutil.copy2(path, copy)
            os.chown(copy, found.st_uid, found.st_gid)


def drop(directory: str) -> None:
    """Remove such a directory; that it is gone already is no error."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(directory)
