# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The directory of a backup: blobs by their digests, each once, and one document for each moment that was backed up.

C(blobs/<algorithm>/<two digits>/<digits>) never change. C(snapshots/<number>-<moment>.json) is written last, so that what a
document names is there. What was begun is C(partial), which the next run writes anew.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import stat
import time
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.registry.backup_snapshot import (
    BadSnapshot,
    Snapshot,
    read_snapshot,
)

MARK = "longshore-registry-backup"
_PIECE = 1024 * 1024
_SNAPSHOT = re.compile(r"(\d{6})-\d{8}T\d{6}Z")


class BackupError(Exception):
    """The directory of a backup cannot be used; in words."""


class OtherBytes(Exception):
    """Bytes that have another digest than the one they are known by."""


class Store:
    """A directory that is root's alone.

    :param directory: an absolute path.
    """

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self._blobs = os.path.join(directory, "blobs")
        self._snapshots = os.path.join(directory, "snapshots")
        self._partial = os.path.join(directory, "partial")

    @property
    def is_there(self) -> bool:
        return os.path.isfile(os.path.join(self.directory, MARK))

    def check(self) -> None:
        """See that there is a backup, or nothing that one would be mixed with.

        :raises BackupError: there is something else.
        """
        with contextlib.suppress(FileNotFoundError):
            if not self.is_there and set(os.listdir(self.directory)) - {"lost+found"}:
                raise BackupError(
                    "%s is no backup of a registry, and not empty. Name an empty directory, or one that is not there"
                    % self.directory
                )

    def make(self) -> None:
        """Make what is missing of it, and keep it from others: there are hashes of passwords in it, and perhaps keys."""
        os.makedirs(self.directory, mode=0o700, exist_ok=True)
        os.chmod(self.directory, 0o700)
        if not self.is_there:  # first of all, so that the next run knows what it finds
            with open(os.path.join(self.directory, MARK), "w") as stream:
                stream.write("A backup of the images of a registry, by longshore.delivery.\n")
        for path in (self._blobs, self._snapshots):
            os.makedirs(path, mode=0o700, exist_ok=True)

    @contextlib.contextmanager
    def claimed(self, to_write: bool) -> t.Iterator[None]:
        """One at a time writes to it, and nobody reads it then; the kernel ends the claim with the process, however that ends.

        :raises BackupError: somebody else is at it.
        """
        place = os.open(os.path.join(self.directory, MARK), (os.O_RDWR if to_write else os.O_RDONLY) | os.O_CLOEXEC)
        try:
            try:
                fcntl.flock(place, (fcntl.LOCK_EX if to_write else fcntl.LOCK_SH) | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BackupError(
                    "another backup to %s, or a restore from it, is under way. Let it end first" % self.directory
                ) from None
            yield
        finally:
            os.close(place)

    def path_of(self, digest: str) -> str:
        algorithm, _colon, digits = digest.partition(":")
        return os.path.join(self._blobs, algorithm, digits[:2], digits)

    def has(self, digest: str, size: int) -> bool:
        """Whether a blob is there; its bytes are not read."""
        try:
            return os.stat(self.path_of(digest)).st_size == size
        except FileNotFoundError:
            return False

    def keep(self, source: str, digest: str) -> None:
        """Copy a file that has this digest.

        :raises OtherBytes: it has another.
        :raises OSError: it cannot be read, or there is no room.
        """
        place = self.path_of(digest)
        os.makedirs(os.path.dirname(place), mode=0o700, exist_ok=True)
        copy_whole(source, digest, self._partial, place)

    @property
    def snapshots(self) -> t.List[str]:
        """Their names, the first one first."""
        try:
            names = [name[: -len(".json")] for name in os.listdir(self._snapshots) if name.endswith(".json")]
        except FileNotFoundError:
            return []
        return sorted(name for name in names if _SNAPSHOT.fullmatch(name))

    def read(self, name: str) -> Snapshot:
        """
        :raises BackupError: there is none of that name, or it was changed.
        """
        path = os.path.join(self._snapshots, name + ".json")
        try:
            with open(path, encoding="utf-8") as stream:
                return read_snapshot(stream.read())
        except FileNotFoundError:
            raise BackupError(
                "%s has no snapshot %s; there are %s" % (self.directory, name, ", ".join(self.snapshots) or "none")
            ) from None
        except (BadSnapshot, UnicodeDecodeError) as fault:
            raise BackupError("%s is no whole snapshot: %s. Name another one" % (path, fault)) from None

    def write(self, snapshot: Snapshot) -> str:
        """Note that all that a snapshot needs is there; returns its name."""
        os.sync()  # the blobs' directories, too, before anything says that they are there
        last = self.snapshots
        number = int(last[-1].partition("-")[0]) + 1 if last else 1
        name = "%06d-%s" % (number, time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()))
        with _discarded_unless_kept(self._partial):
            with _new(self._partial) as stream:
                stream.write(snapshot.written().encode())
                stream.flush()
                os.fsync(stream.fileno())
            os.rename(self._partial, os.path.join(self._snapshots, name + ".json"))
        _settle_directory(self._snapshots)
        return name

    def forget(self, keep: int) -> t.Tuple[t.List[str], int, int]:
        """Delete all but the last snapshots, and then the blobs that none of those needs.

        :param keep: how many stay.
        :returns: the names of those deleted, and how many blobs went, with their size in bytes.
        :raises BackupError: one that stays is damaged, so that nobody knows what it needs; nothing is deleted then.
        """
        going, staying = self.snapshots[:-keep], self.snapshots[-keep:]
        needed = {digest for name in staying for digest in self.read(name).needed}
        for name in going:
            os.unlink(os.path.join(self._snapshots, name + ".json"))
        count = size = 0
        if going:
            _settle_directory(self._snapshots)
            for digest, path in self._kept_blobs():
                if digest not in needed:
                    size += os.stat(path).st_size
                    count += 1
                    os.unlink(path)
        return going, count, size

    def _kept_blobs(self) -> t.Iterator[t.Tuple[str, str]]:
        for algorithm in os.listdir(self._blobs):
            for directory, _below, names in os.walk(os.path.join(self._blobs, algorithm)):
                for name in names:
                    yield "%s:%s" % (algorithm, name), os.path.join(directory, name)


def copy_whole(source: str, digest: str, partial: str, place: str) -> None:
    """Copy a file to a place where there is then all of it, with this digest and on the disk, or what was there before.

    :param partial: a path on the file system of C(place).
    :raises OtherBytes: its bytes have another digest.
    """
    with open(source, "rb") as stream, _discarded_unless_kept(partial):
        with _new(partial) as copy:
            if _passed_on(stream, digest, copy.write) != digest:
                raise OtherBytes(source)
            copy.flush()
            os.fsync(copy.fileno())
        os.rename(partial, place)


def has_digest(path: str, digest: str) -> bool:
    """Whether a file is there and its bytes have this digest; all of it is read."""
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return False
        with open(path, "rb") as stream:
            return _passed_on(stream, digest, lambda piece: None) == digest
    except FileNotFoundError:
        return False


def _passed_on(stream: t.IO[bytes], digest: str, write: t.Callable[[bytes], t.Any]) -> str:
    """Hand on all of a stream; returns its digest, by the same algorithm as the one that it should have."""
    algorithm = digest.partition(":")[0]
    found = hashlib.new(algorithm)
    for piece in iter(lambda: stream.read(_PIECE), b""):
        found.update(piece)
        write(piece)
    return "%s:%s" % (algorithm, found.hexdigest())


def _new(path: str) -> t.IO[bytes]:
    """An empty file for its owner alone, whatever was there."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb")


@contextlib.contextmanager
def _discarded_unless_kept(partial: str) -> t.Iterator[None]:
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(partial)
        raise


def _settle_directory(path: str) -> None:
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
