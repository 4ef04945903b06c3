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
_FORM = 2  # of the file
_CHUNK = 1 << 20
_UNSETTLED = 0  # in place of a change time: one that no file has

Known = t.Tuple[t.List[int], str]


class ChangedWhileRead(OSError):
    """A file that was written to while it was hashed."""


class ContentHashes:
    """The hashes of one directory's files.

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
        self._seen: t.Dict[str, Known] = {}
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
        identity = _identity(status)
        known = self._known.get(path)
        if known and known[0] == identity:
            digest = known[1]
        else:
            digest = _hash(full, identity)
            self._read += 1
        if status.st_ctime_ns + SETTLED >= self._started:
            identity = [*identity[:2], _UNSETTLED, *identity[3:]]
        self._seen[path] = (identity, digest)
        return digest

    def is_unchanged(self, full: str, path: str) -> bool:
        """Whether a file whose hash was asked for is what it was then.

        :raises OSError: it cannot be read, or changes meanwhile.
        """
        identity, digest = self._seen[path]
        now = _identity(os.lstat(full))
        if identity[2] != _UNSETTLED:
            return now == identity
        return [*now[:2], _UNSETTLED, *now[3:]] == identity and _hash(full, now) == digest

    def save(self) -> None:
        """Keep what was seen, beside what other builds saw of the directory. A cache that cannot be written is none."""
        others = self._known.keys() - self._seen.keys()
        kept = {path: self._known[path] for path in others if os.path.lexists(os.path.join(self._root, path))}
        kept.update(self._seen)
        if self._cache and kept != self._known:
            write_json(self._cache, {"form": _FORM, "root": self._root, "files": kept})


def _identity(status: os.stat_result) -> t.List[int]:
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev]


def _known(document: t.Mapping[str, t.Any]) -> t.Dict[str, Known]:
    try:
        return {path: (list(identity), str(digest)) for path, (identity, digest) in document["files"].items()}
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}


def _hash(full: str, identity: t.List[int]) -> str:
    digest = hashlib.sha256()
    descriptor = os.open(full, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if _identity(os.fstat(descriptor)) != identity:
            raise ChangedWhileRead(None, "it changed while it was read", full)
        while True:
            chunk = os.read(descriptor, _CHUNK)
            if not chunk:
                break
            digest.update(chunk)
        if _identity(os.fstat(descriptor)) != identity:
            raise ChangedWhileRead(None, "it changed while it was read", full)
    finally:
        os.close(descriptor)
    return digest.hexdigest()
