# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""A registry's storage that is made anew beside the one that serves, and takes its place in one step.

The mark inside a storage says that it is new and not proved yet. So whoever finds two of them knows which is which, whatever has
cut a run off: the one that was proved, or was there before, has no mark.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.counted import some
from ansible_collections.longshore.delivery.plugins.module_utils.registry.backup_snapshot import (
    KeptRepository,
    Snapshot,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.backup_store import (
    BackupError,
    OtherBytes,
    Store,
    copy_whole,
    has_digest,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_storage import Storage
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_data import STORE

MARK = "longshore-not-proved"
_WAS_SERVED = "served\n"  # the second line of the mark
_BESIDE = ".longshore-restore"
_NAMED = 5
# linux/fs.h and fcntl.h
_RENAME_EXCHANGE, _AT_FDCWD = 2, -100


class RestoredStorage:
    """
    :param root: the C(rootdirectory) of the registry's configuration. What is made there is for its owner.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self._beside = os.path.join(root, _BESIDE)
        self._served = os.path.join(root, STORE)
        self._new = os.path.join(self._beside, STORE)
        self._between = os.path.join(self._beside, "between")
        self._partial = os.path.join(self._beside, "partial")
        self.present = Storage(root)
        self.place_beside = self._new
        # the new one, until it takes the other's place; from then on the other one
        self.beside = Storage(self._beside)

    def settle(self, label: str, pushed: t.Callable[[Storage, str], t.Sequence[str]]) -> None:
        """End what a run that was cut off has left: what was not proved is served no more, and stays for this run to go on with.

        :param label: of what is to be restored; what was begun of something else is of no use.
        :param pushed: tells what a storage has that was served, and was made of what the label says, and that this has not.
        :raises BackupError: nobody can tell which of two storages is the right one, or clients have pushed to one that was not
            proved.
        """
        for storage, place in ((self.present, self._served), (self.beside, self._new)):
            made_of = _label(place)
            if made_of is not None and _was_served(place):
                self._see_that_nothing_is_lost(place, made_of, pushed(storage, made_of))
        if os.path.isdir(self._between):
            if not os.path.isdir(self._served):
                os.rename(self._between, self._served)
            elif _is_marked(self._served):
                os.rename(self._between, self._new)
            else:
                raise BackupError(
                    "a restore was cut off between %s and %s, and the registry has made a new one since. Keep the one that has "
                    "the images that you want as %s, and remove %s"
                    % (self._between, self._served, self._served, self._beside)
                )
        if _is_marked(self._served):
            self.take_back()
        if _label(self._new) != label:
            self.discard()

    def _see_that_nothing_is_lost(self, place: str, label: str, pushed: t.Sequence[str]) -> None:
        """:raises BackupError: clients have pushed to what was restored, and was not proved."""
        if not pushed:
            return
        said = (
            "the restore of %s was cut off before it was proved, and %s came to it from clients, which would be lost"
            % (
                label,
                some(pushed, _NAMED),
            )
        )
        if place == self._served:
            raise BackupError(
                "%s. It is served: to have it count as any other, remove %s and then %s"
                % (said, os.path.join(place, MARK), self._beside)
            )
        raise BackupError(
            "%s. It is kept as %s and not served: push them to the registry again from where they came, and remove %s"
            % (said, place, self._beside)
        )

    def lacking(self, snapshot: Snapshot) -> t.Dict[str, int]:
        """Sizes, by digest, of what is not served, or is with other bytes; all of them are read."""
        return {
            digest: size
            for digest, size in snapshot.blobs.items()
            if not has_digest(_data(self.present, digest), digest)
        }

    def to_copy(self, lacking: t.Mapping[str, int]) -> t.Dict[str, int]:
        """What of it a run that was cut off has not copied yet. What is served is not copied but linked."""
        return {digest: size for digest, size in lacking.items() if _size(_data(self.beside, digest)) != size}

    def make(self, label: str, snapshot: Snapshot, store: Store, lacking: t.Container[str]) -> None:
        """Make the new one, with all of its blobs and links.

        :raises BackupError: the backup has other bytes than it should.
        """
        if not os.path.isdir(self._new):
            os.makedirs(self._new, mode=0o700)
            os.chmod(self._beside, 0o700)
            with open(os.path.join(self._new, MARK), "w") as stream:
                stream.write(label)
        for digest, size in snapshot.blobs.items():
            place = _data(self.beside, digest)
            if _size(place) != size:
                os.makedirs(os.path.dirname(place), exist_ok=True)
                self._bring(digest, place, store, digest in lacking)
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self.beside.linked(""))
        for name, repository in snapshot.repositories.items():
            for place, digest in _links(self.beside, name, repository):
                os.makedirs(place)
                with open(os.path.join(place, "link"), "w") as stream:
                    stream.write(digest)
        self._give_to_owner()
        os.sync()

    def _bring(self, digest: str, place: str, store: Store, is_lacking: bool) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(place)
        if not is_lacking:
            try:
                os.link(_data(self.present, digest), place)
                return
            except OSError as error:  # of a file system that has no such links, or no more of them
                if error.errno not in (errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.EXDEV):
                    raise
        try:
            copy_whole(store.path_of(digest), digest, self._partial, place)
        except (OtherBytes, FileNotFoundError) as fault:
            raise damaged(store, digest, fault) from None

    def _give_to_owner(self) -> None:
        owner = os.stat(self._root)
        os.chown(self._new, owner.st_uid, owner.st_gid)
        os.chmod(self._new, 0o755)
        for directory, below, files in os.walk(self._new):
            for name, mode in [*((name, 0o755) for name in below), *((name, 0o644) for name in files)]:
                path = os.path.join(directory, name)
                os.chown(path, owner.st_uid, owner.st_gid)
                os.chmod(path, mode)

    def take_over(self) -> None:
        """Have the registry serve the new one; C(beside) has the other one then."""
        with open(os.path.join(self._new, MARK), "a") as stream:  # clients may push to it from now on
            stream.write("\n" + _WAS_SERVED)
            stream.flush()
            os.fsync(stream.fileno())
        self._swap()

    def take_back(self) -> None:
        """Undo it."""
        if os.path.isdir(self._new):
            self._swap()
        else:
            os.makedirs(self._beside, mode=0o700, exist_ok=True)
            os.rename(self._served, self._new)

    def finish(self) -> None:
        """The new one is proved: the other one is deleted."""
        os.unlink(os.path.join(self._served, MARK))
        self.discard()

    def discard(self) -> None:
        """Have nothing beside the one that is served."""
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self._beside)

    def _swap(self) -> None:
        if not os.path.isdir(self._served):
            os.rename(self._new, self._served)
        elif not _exchanged(self._served, self._new):
            os.rename(self._served, self._between)
            os.rename(self._new, self._served)
            os.rename(self._between, self._new)


def damaged(store: Store, digest: str, fault: Exception) -> BackupError:
    return BackupError(
        "%s %s. Name another snapshot; a backup with 'reread' mends it where the registry still has the blob"
        % (
            store.path_of(digest),
            "has other bytes than its name says" if isinstance(fault, OtherBytes) else "is missing",
        )
    )


def _links(storage: Storage, name: str, repository: KeptRepository) -> t.Iterator[t.Tuple[str, str]]:
    """The directories of links, with the digests that they lead to: layers before the manifests that name them, tags last."""
    for digest in repository.layers:
        yield storage.linked(name, "_layers", *digest.split(":")), digest
    for digest, signatures in repository.manifests.items():
        place = storage.linked(name, "_manifests", "revisions", *digest.split(":"))
        yield place, digest
        for signature in signatures:
            yield os.path.join(place, "signatures", *signature.split(":")), signature
    for tag, led_to in repository.history.items():
        for digest in led_to:
            yield storage.linked(name, "_manifests", "tags", tag, "index", *digest.split(":")), digest
    for tag, digest in repository.tags.items():
        yield storage.linked(name, "_manifests", "tags", tag, "current"), digest


def _data(storage: Storage, digest: str) -> str:
    return os.path.join(storage.blob(digest), "data")


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except FileNotFoundError:
        return -1


def _is_marked(storage: str) -> bool:
    return _label(storage) is not None


def _label(storage: str) -> t.Optional[str]:
    """What a storage that is not proved is made of; None for one that is, or where there is none."""
    lines = _mark(storage)
    return lines[0].rstrip("\n") if lines else None


def _was_served(storage: str) -> bool:
    """Whether clients may have pushed to it."""
    return _WAS_SERVED in _mark(storage)[1:]


def _mark(storage: str) -> t.List[str]:
    try:
        with open(os.path.join(storage, MARK)) as stream:
            return stream.readlines()
    except (FileNotFoundError, NotADirectoryError):
        return []


def _exchanged(first: str, second: str) -> bool:
    """Let two directories have each other's name, in one step; False where the system or the file system cannot."""
    try:
        import ctypes  # the smallest Python of Debian has none

        exchange = ctypes.CDLL(None, use_errno=True).renameat2
    except (ImportError, AttributeError):
        return False
    if not exchange(_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE):
        return True
    number = ctypes.get_errno()
    if number in (errno.EINVAL, errno.ENOSYS, errno.EXDEV):
        return False
    raise OSError(number, os.strerror(number), first)
