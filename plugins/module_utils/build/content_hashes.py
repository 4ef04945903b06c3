# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Hashes of files' contents, kept from one run to the next: a file that was not touched is not read again.

As git's index does, a hash is kept with the file's size, times, inode and device. The inode's change time cannot be set back, and
the hash of a file that changed less than C(SETTLED) before it was hashed is not relied on, so that an edit within one tick of the
clock is seen.
"""

from __future__ import annotations

import hashlib
import os
import time
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.private_files import read_json, write_json

SETTLED = 2_000_000_000  # nanoseconds; FAT's times have steps of 2 s
_FORM = 3  # of the file
_CHUNK = 1 << 20
_UNSETTLED = 0  # in place of a change time: one that no file has


class ChangedWhileRead(OSError):
    """A file that was written to while it was hashed."""


class ContentHashes:
    """The hashes of one directory's files.

    What is known of a file is one text, its identity and its hash: of 100,000 files those are read, compared and written as
    fast as the paths themselves.

    :param root: the directory's absolute path.
    :param cache: the file in which they are kept; None keeps nothing. A file that is missing or broken is an empty one.
    """

    def __init__(self, root: str, cache: t.Optional[str] = None) -> None:
        self._cache = cache
        self._started = time.time_ns()
        document = read_json(cache) if cache else {}
        if document.get("form") != _FORM or document.get("root") != root:
            document = {}
        self._known = _known(document)
        self._root = root
        self._seen: t.Dict[str, str] = {}
        self._read = 0

    @classmethod
    def of_directory(cls, root: str) -> ContentHashes:
        """Those kept in the user's cache directory (XDG_CACHE_HOME)."""
        home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        name = hashlib.sha256(os.fsencode(root)).hexdigest()[:32]
        return cls(root, os.path.join(home, "longshore", "contents", name + ".json"))

    @property
    def place(self) -> t.Optional[str]:
        """The cache's path without its ending; None where nothing is kept."""
        return self._cache[: -len(".json")] if self._cache else None

    @property
    def files_read(self) -> int:
        """How many files had to be read."""
        return self._read

    def of_file(self, full: str, path: str, status: os.stat_result) -> str:
        """The SHA-256 of a file's content, in hexadecimal digits.

        :param path: relative to the directory.
        :param status: of the file, not of what a link names.
        :raises OSError: it cannot be read, or changes meanwhile.
        """
        changed = status.st_ctime_ns
        identity = _identity(status, changed)
        entry = self._known.get(path, "")
        known, _blank, digest = entry.rpartition(" ")
        if known != identity:
            digest = _hash(full, identity)
            entry = "%s %s" % (identity, digest)
            self._read += 1
        if changed + SETTLED >= self._started:
            entry = "%s %s" % (_identity(status, _UNSETTLED), digest)
        self._seen[path] = entry
        return digest

    def is_unchanged(self, full: str, path: str) -> bool:
        """Whether a file whose hash was asked for is what it was then.

        :raises OSError: it cannot be read, or changes meanwhile.
        """
        identity, _blank, digest = self._seen[path].rpartition(" ")
        status = os.lstat(full)
        now = _identity(status, status.st_ctime_ns)
        if now == identity:
            return True
        return _identity(status, _UNSETTLED) == identity and _hash(full, now) == digest

    def save(self) -> None:
        """Keep what was seen, beside what other builds saw of the directory. A cache that cannot be written is none."""
        others = self._known.keys() - self._seen.keys()
        kept = {path: self._known[path] for path in others if os.path.lexists(os.path.join(self._root, path))}
        kept.update(self._seen)
        if self._cache and kept != self._known:
            write_json(self._cache, {"form": _FORM, "root": self._root, "files": kept})


def _identity(status: os.stat_result, changed: int) -> str:
    return "%d %d %d %d %d" % (status.st_size, status.st_mtime_ns, changed, status.st_ino, status.st_dev)


def _known(document: t.Mapping[str, t.Any]) -> t.Dict[str, str]:
    files = document.get("files")
    return files if isinstance(files, dict) and set(map(type, files.values())) <= {str} else {}


def _hash(full: str, identity: str) -> str:
    digest = hashlib.sha256()
    descriptor = os.open(full, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _check_is(descriptor, full, identity)
        while True:
            chunk = os.read(descriptor, _CHUNK)
            if not chunk:
                break
            digest.update(chunk)
        _check_is(descriptor, full, identity)
    finally:
        os.close(descriptor)
    return digest.hexdigest()


def _check_is(descriptor: int, full: str, identity: str) -> None:
    status = os.fstat(descriptor)
    if _identity(status, status.st_ctime_ns) != identity:
        raise ChangedWhileRead(None, "it changed while it was read", full)
