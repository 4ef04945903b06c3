# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Which backup is of which registry: noted in both, so that neither a missing disk nor another registry is taken for it."""

from __future__ import annotations

import os
import platform
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.registry.backup_store import BackupError, Store

NOTE = ".longshore-backups"  # beside the images: the directories that hold a backup of them, a line each
_OWNER = "of"  # in the backup: the registry's host and directory


def see_that_they_fit(store: Store, root: str) -> None:
    """See that this directory is for this registry.

    :param root: the directory of the registry's images.
    :raises BackupError: it had a backup and has none now, or has one of another registry.
    """
    note = os.path.join(root, NOTE)
    if not store.is_there and store.directory in _lines(note):
        raise BackupError(
            "%s had a backup of this registry and has none now: perhaps its disk is not mounted. Mount it; or, to begin anew, "
            "take its line out of %s" % (store.directory, note)
        )
    place = os.path.join(store.directory, _OWNER)
    owner, ours = _lines(place), _told(root)
    if owner and owner != [ours]:
        raise BackupError(
            "%s is the backup of %s, and this is %s: each registry needs a directory of its own, also each host of several. Name "
            "another one; where the registry has moved, remove %s" % (store.directory, owner[0], ours, place)
        )


def note_both(store: Store, root: str) -> None:
    """Note in each where the other is."""
    ours = _told(root)
    if _lines(os.path.join(store.directory, _OWNER)) != [ours]:
        _write(os.path.join(store.directory, _OWNER), [ours])
    known = _lines(os.path.join(root, NOTE))
    if store.directory not in known:
        _write(os.path.join(root, NOTE), [*known, store.directory])


def _told(root: str) -> str:
    return "%s on %s" % (root, platform.node())


def _lines(path: str) -> t.List[str]:
    try:
        with open(path) as stream:
            return stream.read().splitlines()
    except FileNotFoundError:
        return []


def _write(path: str, lines: t.Sequence[str]) -> None:
    with open(os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        stream.write("".join(line + "\n" for line in lines))
        stream.flush()
        os.fsync(stream.fileno())
    os.rename(path + ".new", path)
