# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What a backup and a restore need of a registry's storage while it serves: quiet, and one look that is true of one moment."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.backup_snapshot import (
    has_broken_links,
    snapshot_of,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_contents import Contents
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_notes import Busy, Notes
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_storage import Storage, StrangeStorage

# seconds that a collection of garbage may go on, and between two looks
_PATIENCE, _PAUSE = 300.0, 0.5
_LOOKS = 5


@contextlib.contextmanager
def quiet(storage: str, notes: str, to_replace: bool = False) -> t.Iterator[None]:
    """No garbage is collected on this host while the body runs, and nobody else replaces the storage.

    :param storage: the C(rootdirectory) of the registry's configuration.
    :param notes: as with C(no_collection).
    :param to_replace: whether the body does, so that nobody reads it meanwhile who would have to see one of the two.
    :raises DeliveryError: somebody else is at it, or a collection is under way and does not end.
    """
    with contextlib.ExitStack() as claim:
        if os.path.isdir(storage):
            place = os.open(storage, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            claim.callback(os.close, place)
            try:
                fcntl.flock(place, (fcntl.LOCK_EX if to_replace else fcntl.LOCK_SH) | fcntl.LOCK_NB)
            except BlockingIOError:
                raise DeliveryError(
                    "The registry's images in %s are being restored on this host, or backed up, or it is proved that they are "
                    "served, and nothing was changed here. Run this again once that has ended." % storage
                ) from None
            except OSError:  # NFS has no such lock of a directory
                pass
        claim.enter_context(no_collection(notes))
        yield


@contextlib.contextmanager
def no_collection(notes: str) -> t.Iterator[None]:
    """No garbage is collected on this host while the body runs.

    :param notes: the directory of the collection's notes; without one nothing is collected.
    :raises DeliveryError: a collection is under way and does not end.
    """
    if not (notes and os.path.isdir(notes)):
        yield
        return
    deadline = time.monotonic() + _PATIENCE
    with contextlib.ExitStack() as claim:
        while True:
            try:
                claim.enter_context(Notes(notes).alone())
                break
            except Busy:
                if time.monotonic() > deadline:
                    raise DeliveryError(
                        "Garbage is being collected on this host, and after %d s it still is. Wait until it has ended: "
                        "'systemctl status %s.service' tells." % (_PATIENCE, os.path.basename(notes))
                    ) from None
                time.sleep(_PAUSE)
        _give_to_owner(notes)
        yield


def _give_to_owner(directory: str) -> None:
    """What root makes there is for the user of the collection, who has to write to it."""
    owner = os.stat(directory)
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.stat(follow_symlinks=False).st_uid != owner.st_uid:
                os.chown(entry.path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def read_settled(storage: Storage, notes: str) -> Contents:
    """What the storage holds while clients push.

    The registry empties a link before it writes to it (distribution 2.8, PutContent of the driver filesystem). So what looks
    broken is looked at again, and counts when it is the same twice.

    :param notes: the directory of the notes of what collects its garbage.
    :raises StrangeStorage: somebody has to put something right first.
    """
    fault: t.Optional[StrangeStorage] = None
    before: t.Optional[t.Tuple[str, ...]] = None
    for look in range(_LOOKS):
        if look:
            time.sleep(_PAUSE)
        try:
            contents = storage.read()
        except StrangeStorage as strange:
            fault = strange
            continue
        if storage.aside:
            raise StrangeStorage(
                "%s was put aside by a collection of garbage that was cut off. End it, by "
                "'systemctl start %s-settle.service'"
                % (storage.aside[0], os.path.basename(notes) or "longshore-registry-garbage")
            )
        broken = _broken(contents)
        if not broken or broken == before:
            return contents
        before, fault = broken, None
    if fault:
        raise fault
    return contents


def _broken(contents: Contents) -> t.Tuple[str, ...]:
    missing = snapshot_of(contents).missing
    return (*missing, "links") if has_broken_links(contents) else missing
