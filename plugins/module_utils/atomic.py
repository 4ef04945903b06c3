# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Files that are either as before or as after: written beside, synced, renamed."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import stat
import tempfile
import typing as t

_SELINUX = "security.selinux"


@dataclasses.dataclass(frozen=True)
class FileState:
    """A file's bytes and permission bits."""

    content: bytes
    mode: int


def read(path: str) -> t.Optional[FileState]:
    """The file's state, None if there is no file.

    :raises OSError: there is something else, or it cannot be read.
    """
    try:
        with open(path, "rb") as stream:
            return FileState(stream.read(), stat.S_IMODE(os.fstat(stream.fileno()).st_mode))
    except (FileNotFoundError, NotADirectoryError):
        return None


def write(path: str, content: bytes, mode: int) -> None:
    """Give a file these bytes and permission bits, in one step for whoever reads it.

    A symbolic link stays one: the file that it names is replaced. Owner and SELinux label of a file that was there are
    kept.

    :raises OSError: it cannot be written; nothing is changed then.
    """
    target = os.path.realpath(path)
    directory = os.path.dirname(target)
    descriptor, beside = tempfile.mkstemp(prefix=".longshore-", dir=directory)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fchmod(stream.fileno(), mode)
            _keep_owner_and_label(target, stream.fileno())
            os.fsync(stream.fileno())
        os.rename(beside, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(beside)
        raise
    _sync_directory(directory)


def remove(path: str) -> None:
    """Remove a file; that it is gone already is no error."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
        _sync_directory(os.path.dirname(path))


def missing_directories(path: str) -> t.List[str]:
    """This directory and its parents as far as they are not there, the outermost first."""
    missing: t.List[str] = []
    while not os.path.isdir(path):
        missing.insert(0, path)
        path = os.path.dirname(path)
    return missing


def make_directories(path: str, mode: int = 0o755) -> t.List[str]:
    """Make a directory with its parents, whatever the umask. Returns those that were made, the outermost first."""
    missing = missing_directories(path)
    for directory in missing:
        os.mkdir(directory, mode)
        os.chmod(directory, mode)
    return missing


def remove_empty(directories: t.Iterable[str]) -> None:
    """Remove these directories, the innermost first, as far as nothing is in them."""
    for directory in sorted(directories, key=len, reverse=True):
        with contextlib.suppress(OSError):
            os.rmdir(directory)


def _keep_owner_and_label(target: str, descriptor: int) -> None:
    try:
        before = os.stat(target)
    except FileNotFoundError:
        return
    os.fchown(descriptor, before.st_uid, before.st_gid)
    with contextlib.suppress(OSError):  # no SELinux here, or no label on the file
        os.setxattr(descriptor, _SELINUX, os.getxattr(target, _SELINUX))


def _sync_directory(directory: str) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
