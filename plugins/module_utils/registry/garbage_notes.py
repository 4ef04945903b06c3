# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What a collection of garbage notes in a directory of its own: how far it has come, and what came of it.

How far it has come is the name of an empty file, so that a step forward is a rename, for which a full disk has room.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import typing as t

# Nothing is put aside, or only by a run whose notes were lost: to be brought back.
IDLE = "idle"
# Something may be put aside: to be brought back.
PUTTING_ASIDE = "putting-aside"
# What is put aside is garbage beyond doubt: to be deleted.
PROVED = "proved"
_PHASES = (PUTTING_ASIDE, PROVED, IDLE)
_RESULT, _UNTAGGED, _LOCK = "result.json", "untagged.json", "lock"


class Busy(Exception):
    """Another run is under way."""


class Notes:
    """The directory with them, which outlives a boot of the host and belongs to the user of the collection."""

    def __init__(self, directory: str) -> None:
        self._directory = directory

    def _path(self, name: str) -> str:
        return os.path.join(self._directory, name)

    @contextlib.contextmanager
    def alone(self, until_deleted: bool = False) -> t.Iterator[None]:
        """One run at a time; the kernel ends the claim with the process, however that ends.

        :param until_deleted: whether to wait for one that does nothing any more but delete, as one that goes on after boot.
        :raises Busy: there is one already.
        """
        lock = os.open(self._path(_LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not (until_deleted and os.path.exists(self._path(PROVED))):
                    raise Busy from None
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    @property
    def phase(self) -> str:
        """How far the last run came."""
        for phase in _PHASES:
            if os.path.exists(self._path(phase)):
                return phase
        with open(self._path(IDLE), "w"):
            return IDLE

    def enter(self, phase: str) -> None:
        """Note it, so that a loss of power does not take it back."""
        os.rename(self._path(self.phase), self._path(phase))
        directory = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    @property
    def untagged(self) -> t.Dict[t.Tuple[str, str], float]:
        """Since when manifests are known to have no tag, by repository and digest; one that is not known starts anew."""
        try:
            with open(self._path(_UNTAGGED)) as stream:
                return {
                    (name, digest): float(since)
                    for name, digests in json.load(stream).items()
                    for digest, since in digests.items()
                }
        except (OSError, ValueError, AttributeError, TypeError):
            return {}

    def keep_untagged(self, since: t.Mapping[t.Tuple[str, str], float]) -> None:
        """Note it for the next run.

        :raises OSError: there is no room.
        """
        by_name: t.Dict[str, t.Dict[str, float]] = {}
        for (name, digest), moment in since.items():
            by_name.setdefault(name, {})[digest] = moment
        self._write(_UNTAGGED, by_name)

    def keep_result(self, result: t.Mapping[str, t.Any]) -> None:
        """Note what came of a run.

        :raises OSError: there is no room.
        """
        self._write(_RESULT, result)

    def _write(self, name: str, content: t.Any) -> None:
        new = self._path(name + ".new")
        try:
            with open(new, "w") as stream:
                json.dump(content, stream)
                stream.flush()
                os.fsync(stream.fileno())
            os.rename(new, self._path(name))
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(new)
            raise
