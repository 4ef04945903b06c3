# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""A registry's images brought back from a backup, onto a host that has none or in place of those that are there.

What is to be served is made beside what is, from bytes whose digests were worked out anew. It takes the other's place in one
step, the registry is asked for all of it, and on any doubt the other one is back.
"""

from __future__ import annotations

import contextlib
import functools
import grp
import itertools
import os
import pwd
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Capability, Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.counted import counted, some
from ansible_collections.longshore.delivery.plugins.module_utils.registry.backup_snapshot import (
    EVERYTHING,
    KeptFile,
    Snapshot,
    lost,
    snapshot_of,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.backup_store import (
    BackupError,
    OtherBytes,
    Store,
    copy_whole,
    has_digest,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_plan import plan
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_proof import Proof
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_storage import Storage, StrangeStorage
from ansible_collections.longshore.delivery.plugins.module_utils.registry.quiet_storage import (
    quiet,
    read_settled,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.registry_backup import check_host, in_words
from ansible_collections.longshore.delivery.plugins.module_utils.registry.restored_storage import (
    RestoredStorage,
    damaged,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.room import shortage

_NAMED, _KEPT = 5, 100
Params = t.Mapping[str, t.Any]


def run(params: t.Dict[str, t.Any], context: Context) -> t.Dict[str, t.Any]:
    """Restore.

    :raises DeliveryError: nothing was restored; all is as it was.
    """
    store = Store(params["directory"])
    check_host(params)
    if not store.is_there:
        raise DeliveryError(
            "%s is no backup of a registry. Name the directory that one was written to, on this host."
            % params["directory"]
        )
    try:
        with store.claimed(to_write=False):
            names = store.snapshots
            if not names:
                raise BackupError("%s has no snapshot: the first backup has not ended. Run it again" % store.directory)
            name = params["snapshot"] or names[-1]
            snapshot = store.read(name)
            result = _nothing_done(name, snapshot)
            _restore_files(params["files"], snapshot, store, context, result)
            if params["storage"]:
                with quiet(params["storage"], params["garbage_notes"], to_replace=True):
                    _restore_images(params, snapshot, store, context, result)
            return result
    except (BackupError, StrangeStorage) as fault:
        raise DeliveryError("Nothing was restored: %s." % fault) from None
    except OSError as error:
        raise DeliveryError("Nothing was restored: %s" % in_words(error, store)) from error


def _nothing_done(name: str, snapshot: Snapshot) -> t.Dict[str, t.Any]:
    return {
        "changed": False,
        "snapshot": name,
        "files": [],
        "copied": 0,
        "copied_size": 0,
        "tags": snapshot.tags,
        "lost": [],
        "proved": 0,
        "missing": list(snapshot.missing[:_KEPT]),
    }


def _restore_files(
    wanted: t.Sequence[str], snapshot: Snapshot, store: Store, context: Context, result: t.Dict[str, t.Any]
) -> None:
    """Put back those that are missing. They belong together: where one is there and is another, none is touched."""
    files = [file for file in snapshot.files if file.path in wanted]
    others = [file.path for file in files if os.path.lexists(file.path) and not has_digest(file.path, file.digest)]
    if others:
        context.warn(
            "On this host %s is another than in the backup and stays, so that no file was put back. To have those of the backup, "
            "remove first: %s." % (" and ".join(others), ", ".join(file.path for file in files))
        )
        return
    missing = [file for file in files if not os.path.lexists(file.path)]
    for file in missing:
        if not has_digest(store.path_of(file.digest), file.digest):
            raise damaged(store, file.digest, OtherBytes())
    result["files"] = [file.path for file in missing]
    result["changed"] = bool(missing)
    if not context.check:
        with contextlib.ExitStack() as undoing:
            for file in missing:
                undoing.callback(_remove, file.path)
                _restore_file(file, store)
            undoing.pop_all()


def _restore_file(file: KeptFile, store: Store) -> None:
    try:
        user, group = pwd.getpwnam(file.owner).pw_uid, grp.getgrnam(file.group).gr_gid
    except KeyError as error:
        raise BackupError("%s is for %s:%s, and here %s" % (file.path, file.owner, file.group, error)) from None
    os.makedirs(os.path.dirname(file.path), mode=0o755, exist_ok=True)
    copy_whole(store.path_of(file.digest), file.digest, file.path + ".restoring", file.path)
    os.chown(file.path, user, group)
    os.chmod(file.path, int(file.mode, 8))


def _remove(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def _restore_images(
    params: Params, snapshot: Snapshot, store: Store, context: Context, result: t.Dict[str, t.Any]
) -> None:
    if not os.path.isdir(params["storage"]) and not context.check:
        raise BackupError("there is no directory %s. The role registry makes it" % params["storage"])
    restored = RestoredStorage(params["storage"])
    label = "%s of %s" % (result["snapshot"], store.directory)
    if not context.check:
        restored.settle(label, functools.partial(_pushed_since, store))
    present = _present(restored.present, params["garbage_notes"], context)
    gone = lost(present, snapshot) if present else ()
    result["lost"] = list(gone[:_KEPT])
    if gone and not params["discard"]:
        raise DeliveryError(
            "Nothing was restored: the registry has what snapshot %s has not, or has otherwise, and would lose it: %s. Back it "
            "up first, or say that it may go, by 'discard' (of the role: registry_restore_discard)."
            % (result["snapshot"], some(gone, _NAMED)),
            lost=list(gone[:_KEPT]),
        )
    lacking = restored.lacking(snapshot)
    is_as_wanted = _is_same(present, snapshot) and not lacking
    to_copy = restored.to_copy(lacking)
    result.update(copied=len(to_copy), copied_size=sum(to_copy.values()))
    result["changed"] = result["changed"] or not is_as_wanted
    if context.check:
        for digest in snapshot.blobs:
            if not has_digest(store.path_of(digest), digest):
                raise damaged(
                    store, digest, OtherBytes() if os.path.exists(store.path_of(digest)) else FileNotFoundError()
                )
        return
    with contextlib.closing(Proof(params["backend_port"])) as proof:
        fault = proof.fault_of_registry()
        if fault:
            raise BackupError("%s. Start it first" % fault)
        if is_as_wanted:
            restored.discard()
            result["proved"] = _prove(restored.present, proof)
            return
        _see_room(params["storage"], to_copy)
        restored.make(label, snapshot, store, lacking)
        _see_that_it_is_whole(restored.beside, snapshot)
        result["proved"] = _serve(restored, snapshot, proof, gone)


def _pushed_since(store: Store, storage: Storage, label: str) -> t.Sequence[str]:
    """What a storage has that was served without a proof, beyond the snapshot that the label names."""
    name, _of, directory = label.partition(" of ")
    if directory != store.directory or name not in store.snapshots:
        return ["what cannot be told without that snapshot"]
    try:
        return lost(snapshot_of(storage.read()), store.read(name))
    except StrangeStorage as strange:
        return ["what cannot be told (%s)" % strange]


def _present(storage: Storage, notes: str, context: Context) -> t.Optional[Snapshot]:
    """What is there; None where that cannot be known, since it is damaged."""
    try:
        return snapshot_of(read_settled(storage, notes))
    except StrangeStorage as strange:
        context.warn("What the registry's storage holds cannot be told before the restore: %s." % strange)
        return None


def _is_same(present: t.Optional[Snapshot], snapshot: Snapshot) -> bool:
    return present is not None and (present.repositories, present.blobs) == (snapshot.repositories, snapshot.blobs)


def _see_room(root: str, lacking: t.Mapping[str, int]) -> None:
    lack = shortage(root, lacking.values())
    if lack:
        raise BackupError(
            "%s would take %d MiB, and at %s %d MiB are free. What is there stays until the restored images are proved, so there "
            "has to be room for both" % (counted(len(lacking), "blob"), lack.wanted, root, lack.free)
        )


def _see_that_it_is_whole(new: Storage, snapshot: Snapshot) -> None:
    found = snapshot_of(new.read())
    if not _is_same(found, snapshot) or {*found.missing} - {*snapshot.missing}:
        raise BackupError("what was made of the snapshot is not what it says. This is a fault in longshore.delivery")


def _serve(restored: RestoredStorage, snapshot: Snapshot, proof: Proof, gone: t.Sequence[str]) -> int:
    """Have the new storage served, and proved; else the other one again."""
    restored.take_over()
    try:
        proved = _prove(restored.present, proof)
        pushed = _pushed_meanwhile(restored.beside, snapshot, gone)
        if pushed:
            raise BackupError("%s came to the registry meanwhile, and would have been lost" % some(pushed, _NAMED))
    except BackupError as fault:
        restored.take_back()
        told = "%s. What was there before is back" % fault
        with contextlib.suppress(StrangeStorage):
            came = lost(snapshot_of(restored.beside.read()), snapshot)
            if came:  # acknowledged while it was served
                raise BackupError(
                    "%s. Meanwhile %s came to what was restored, which is kept as %s: push them again from where they came, and "
                    "remove it" % (told, some(came, _NAMED), restored.place_beside)
                ) from None
        restored.discard()
        raise BackupError(told) from None
    except BaseException:  # what was made stays beside it, for the next run
        restored.take_back()
        raise
    restored.finish()
    return proved


def _pushed_meanwhile(before: Storage, snapshot: Snapshot, gone: t.Sequence[str]) -> t.List[str]:
    try:
        return sorted({*lost(snapshot_of(before.read()), snapshot)} - {*gone})
    except StrangeStorage:  # as it was before, and was told then
        return []


def _prove(storage: Storage, proof: Proof) -> int:
    """Ask the registry for every manifest, by tag and digest, and every blob; returns how many there are.

    :raises BackupError: it does not serve all.
    """
    promises = plan(storage.read(), EVERYTHING, {}, 0.0).promises
    faults = list(itertools.islice(filter(None, map(proof.fault_of, promises)), _NAMED))
    if faults:
        raise BackupError("the registry does not serve all of it: %s" % ", ".join(faults))
    return len(promises)


ARGUMENT_SPEC: t.Dict[str, t.Any] = {
    "directory": {"type": "path", "required": True},
    "snapshot": {"type": "str", "default": ""},
    "files": {"type": "list", "elements": "path", "default": []},
    "storage": {"type": "path", "default": ""},
    "backend_port": {"type": "int", "default": 5001},
    "garbage_notes": {"type": "path", "default": ""},
    "discard": {"type": "bool", "default": False},
}
CAPABILITY = Capability(run=run, argument_spec=ARGUMENT_SPEC)
