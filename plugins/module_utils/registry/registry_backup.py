# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""A backup of a registry's images, taken while the registry serves.

It is true of one moment: what leads to others is read before those, and nothing is deleted from the storage meanwhile but by a
collection of garbage, which is kept away. Blobs never change, so that one that is in the backup is not copied again.
"""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import os
import stat
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.absolute_path import check_absolute
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Capability, Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.counted import counted
from ansible_collections.longshore.delivery.plugins.module_utils.registry.backup_places import (
    note_both,
    see_that_they_fit,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.backup_snapshot import (
    KeptFile,
    Snapshot,
    snapshot_of,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.backup_store import (
    BackupError,
    OtherBytes,
    Store,
    has_digest,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_contents import Contents
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_storage import Storage, StrangeStorage
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_files import group_name, user_name
from ansible_collections.longshore.delivery.plugins.module_utils.registry.quiet_storage import (
    quiet,
    read_settled,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.room import existing, shortage

_NAMED, _KEPT = 5, 100
Params = t.Mapping[str, t.Any]


@dataclasses.dataclass
class _Copied:
    """What a run has added to the backup, or would add."""

    blobs: int = 0
    size: int = 0


def run(params: t.Dict[str, t.Any], context: Context) -> t.Dict[str, t.Any]:
    """Back up.

    :raises DeliveryError: there is no new backup; what was there before is as it was.
    """
    store, storage = Store(params["directory"]), Storage(params["storage"])
    check_host(params)
    try:
        if not os.path.isdir(params["storage"]):
            raise BackupError("there is no directory %s" % params["storage"])
        store.check()
        see_that_they_fit(store, params["storage"])
        if not store.is_there:
            context.warn(
                "%s holds no backup of a registry yet: one is begun there, of all images. If it is to be on another disk, see "
                "that this is mounted." % store.directory
            )
        if context.check:
            with quiet(params["storage"], params["garbage_notes"]):
                return _rehearse(params, store, storage, context)
        store.make()
        with store.claimed(to_write=True), quiet(params["storage"], params["garbage_notes"]):
            result = _back_up(params, store, storage, context)
            note_both(store, params["storage"])
            return result
    except (BackupError, StrangeStorage) as fault:
        raise DeliveryError("The registry was not backed up: %s." % fault) from None
    except OSError as error:
        raise DeliveryError("The registry was not backed up: %s" % in_words(error, store)) from error


def check_host(params: Params) -> None:
    """See that this may be the right place for a backup.

    :raises DeliveryError: it is not.
    """
    directory, root = params["directory"], params["storage"]
    check_absolute("directory", directory)
    if os.geteuid():
        raise DeliveryError("A backup of a registry is root's alone. Set 'become: true' for this host.")
    if root and (os.path.realpath(directory) + "/").startswith(os.path.realpath(root) + "/"):
        raise DeliveryError(
            "%s is inside %s, which it is to be a backup of. Name a directory elsewhere, on another disk best of all."
            % (directory, root)
        )


def in_words(error: OSError, store: Store) -> str:
    """What a full disk and other faults of a file system mean for whoever started this."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            "there is no room left for %s. What was copied stays and is not copied again; no snapshot names it. Make room, or "
            "name a directory on another disk, and run this again." % (error.filename or store.directory)
        )
    return "%s." % error


def _rehearse(params: Params, store: Store, storage: Storage, context: Context) -> t.Dict[str, t.Any]:
    snapshot = snapshot_of(read_settled(storage, params["garbage_notes"]), _files(params["files"]))
    lacking = _lacking(store, snapshot, params["reread"])
    _see_room(store, lacking)
    last = _last(store)
    name = last[0] if last and last[1] == snapshot else ""
    return _result(
        snapshot, name, _Copied(len(lacking), sum(lacking.values())), ([], 0, 0), context, bool(lacking or not name)
    )


def _back_up(params: Params, store: Store, storage: Storage, context: Context) -> t.Dict[str, t.Any]:
    contents = read_settled(storage, params["garbage_notes"])
    files = _files(params["files"])
    snapshot = snapshot_of(contents, files)
    lacking = _lacking(store, snapshot, params["reread"])
    _see_room(store, lacking)
    damaged = set()
    for digest in lacking.keys() & snapshot.blobs.keys():
        try:
            store.keep(os.path.join(storage.blob(digest), "data"), digest)
        except OtherBytes:
            damaged.add(digest)
        except FileNotFoundError:
            raise BackupError(
                "blob %s was deleted while it was to be copied, which only a collection of garbage does: one that this "
                "collection did not start. Back up at another time than it" % digest
            ) from None
    for file in files:
        if file.digest in lacking:
            _keep_file(store, file)
    if damaged:
        snapshot = _without(contents, damaged, files)
    last = _last(store)
    name = last[0] if last and last[1] == snapshot else ""
    if last and last[1].repositories and not snapshot.repositories:
        raise BackupError(
            "%s holds no repository, where the last snapshot had %d: perhaps it is not mounted. Mount it; or, if it is to be "
            "empty, name another directory" % (params["storage"], len(last[1].repositories))
        )
    is_new = not name
    if is_new:
        name = store.write(snapshot)
    forgotten = store.forget(params["keep"]) if params["keep"] else ([], 0, 0)
    done = {digest: size for digest, size in lacking.items() if digest not in damaged}
    return _result(
        snapshot, name, _Copied(len(done), sum(done.values())), forgotten, context, bool(is_new or done or forgotten[0])
    )


def _files(paths: t.Sequence[str]) -> t.List[KeptFile]:
    """Those that are there."""
    found = []
    for path in paths:
        try:
            seen = os.stat(path)
            with open(path, "rb") as stream:
                content = stream.read()
        except FileNotFoundError:
            continue
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        mode = "%04o" % stat.S_IMODE(seen.st_mode)
        found.append(KeptFile(path, user_name(seen.st_uid), group_name(seen.st_gid), mode, digest, len(content)))
    return found


def _keep_file(store: Store, file: KeptFile) -> None:
    try:
        store.keep(file.path, file.digest)
    except OtherBytes:
        raise BackupError("%s was changed while it was to be copied. Run this again" % file.path) from None


def _lacking(store: Store, snapshot: Snapshot, reread: bool) -> t.Dict[str, int]:
    """Sizes of what has to be copied, by digest."""
    return {
        digest: size
        for digest, size in snapshot.needed.items()
        if not store.has(digest, size) or (reread and not has_digest(store.path_of(digest), digest))
    }


def _see_room(store: Store, lacking: t.Mapping[str, int]) -> None:
    place = existing(store.directory)
    lack = shortage(place, lacking.values()) if lacking else None
    if lack:
        raise BackupError(
            "%s would take %d MiB, and where it goes, at %s, %d MiB are free. Nothing was copied. Make room, or name a directory "
            "on another disk" % (counted(len(lacking), "blob"), lack.wanted, place, lack.free)
        )


def _without(contents: Contents, damaged: t.AbstractSet[str], files: t.Sequence[KeptFile]) -> Snapshot:
    for digest in damaged:
        del contents.blobs[digest]
    return snapshot_of(contents, files)


def _last(store: Store) -> t.Optional[t.Tuple[str, Snapshot]]:
    """The last snapshot with its name; None where there is none that is whole."""
    names = store.snapshots
    try:
        return (names[-1], store.read(names[-1])) if names else None
    except BackupError:
        return None


def _result(
    snapshot: Snapshot,
    name: str,
    copied: _Copied,
    forgotten: t.Tuple[t.List[str], int, int],
    context: Context,
    changed: bool,
) -> t.Dict[str, t.Any]:
    if snapshot.missing:
        context.warn(
            "Some tags of the registry lack parts of their images, and so they do in its backup: %s. Push these images again."
            % ", ".join(snapshot.missing[:_NAMED])
        )
    return {
        "changed": changed,
        "snapshot": name,
        "copied": copied.blobs,
        "copied_size": copied.size,
        "repositories": len(snapshot.repositories),
        "tags": snapshot.tags,
        "manifests": snapshot.manifests,
        "blobs": len(snapshot.blobs),
        "size": sum(snapshot.blobs.values()),
        "missing": list(snapshot.missing[:_KEPT]),
        "forgotten": forgotten[0],
        "forgotten_blobs": forgotten[1],
        "forgotten_size": forgotten[2],
    }


ARGUMENT_SPEC: t.Dict[str, t.Any] = {
    "directory": {"type": "path", "required": True},
    "storage": {"type": "path", "required": True},
    "files": {"type": "list", "elements": "path", "default": []},
    "garbage_notes": {"type": "path", "default": ""},
    "keep": {"type": "int", "default": 0},
    "reread": {"type": "bool", "default": False},
}
CAPABILITY = Capability(run=run, argument_spec=ARGUMENT_SPEC)
