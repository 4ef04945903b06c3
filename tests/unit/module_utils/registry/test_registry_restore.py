# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Restores into a real registry that goes on serving: what it serves then, what is back on a doubt, what comes of kills."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry import quiet_storage, restored_storage
from ansible_collections.longshore.delivery.plugins.module_utils.registry.backup_places import NOTE
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_notes import Notes
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_proof import Proof

from .conftest import StartRegistry
from .kept_place import CHANGES, Kept, fill
from .killing import killed_at
from .storages import Written


@pytest.fixture
def kept(start_registry: StartRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kept:
    """It is backed up already."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "sync", lambda: None)  # of the whole machine, which other tests write to
    registry = start_registry()
    written = Written(registry.directory / "data")
    fill(written)
    found = Kept(registry, written, tmp_path / "backup", [])
    found.back_up()
    return found


def replace_images(kept: Kept) -> None:
    """Have other images, of which one is damaged."""
    shutil.rmtree(kept.written.repository("shop"))
    kept.written.tag("shop/web", "1", kept.written.image("shop/web", b"newer", b"base"))
    kept.written.tag("shop/other", "1", kept.written.image("shop/other", b"other"))
    kept.written.blob_file(kept.written.blob(b"amd64")).write_bytes(b"amd65")


def links(kept: Kept) -> dict[str, bytes]:
    return {name: body for name, body in kept.written.contents().items() if name.endswith("/link")}


def test_a_registry_that_lost_everything_serves_it_again(kept: Kept) -> None:
    before, needed = kept.written.contents(), kept.written.tagged()
    shutil.rmtree(kept.written.root / "docker")
    rehearsed = kept.restore(check=True)
    assert not (kept.written.root / "docker").exists()
    done = kept.restore()
    assert done == {**rehearsed, "proved": done["proved"]}
    assert (done["changed"], done["copied"], done["lost"]) == (True, len(kept.written.blobs()), [])
    assert done["proved"] > done["copied"], "a blob of two repositories is asked for in both"
    assert kept.written.contents() == before
    assert kept.written.tagged() == needed
    assert not kept.beside().exists()
    owner = kept.written.root.stat()
    for path in (kept.written.root / "docker").rglob("*"):
        found = path.stat()
        assert (found.st_uid, found.st_gid) == (owner.st_uid, owner.st_gid)
        assert found.st_mode & 0o777 == (0o755 if path.is_dir() else 0o644)

    files = kept.written.files()
    again = kept.restore()
    assert (again["changed"], again["copied"], again["proved"]) == (False, 0, done["proved"])
    assert kept.written.files() == files


def test_what_would_be_lost_is_told_and_kept_unless_it_may_go(kept: Kept) -> None:
    before, needed = kept.written.contents(), kept.written.tagged()
    replace_images(kept)
    changed = kept.written.contents()
    with pytest.raises(DeliveryError, match=r"would lose it: shop/other:1, shop/web:1. Back it up") as refused:
        kept.restore()
    assert refused.value.facts["lost"] == ["shop/other:1", "shop/web:1"]
    assert kept.written.contents() == changed
    done = kept.restore(discard=True)
    assert done["lost"] == ["shop/other:1", "shop/web:1"]
    assert done["copied"] == 1, "what is there is linked, but for the one that is damaged"
    assert kept.written.contents() == before
    assert kept.written.tagged() == needed


def test_what_came_meanwhile_ends_the_restore(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(kept.written.repository("shop"))
    real = restored_storage.RestoredStorage.take_over

    def push_first(restored: restored_storage.RestoredStorage) -> None:
        kept.written.tag("shop/web", "2", kept.written.image("shop/web", b"newer"))
        real(restored)

    monkeypatch.setattr(restored_storage.RestoredStorage, "take_over", push_first)
    with pytest.raises(
        DeliveryError, match=r"shop/web:2 came to the registry meanwhile.*What was there before is back"
    ):
        kept.restore()
    assert kept.written.tagged().keys() == {"shop/web"}
    assert (kept.written.repository("shop/web") / "_manifests/tags/2").is_dir()
    assert not kept.beside().exists()


@pytest.mark.parametrize("what", ["blob", "gone", "snapshot", "format", "name"])
def test_a_damaged_backup_changes_nothing(kept: Kept, what: str) -> None:
    replace_images(kept)
    before = kept.written.contents()
    (name,) = kept.snapshots()
    document = kept.directory / f"snapshots/{name}.json"
    layer = kept.written.blob(b"arm64")
    copy = kept.directory / "blobs/sha256" / layer[7:9] / layer[7:]
    kept.written.blob_file(layer).unlink()
    before.pop(str(kept.written.blob_file(layer).relative_to(kept.written.root)))
    said = json.loads(document.read_text())
    if what == "blob":
        copy.write_bytes(b"arm65")
    elif what == "gone":
        copy.unlink()
    elif what == "snapshot":
        document.write_text(document.read_text().replace("shop/web", "shop/wed"))
    elif what == "format":
        document.write_text(json.dumps({**said, "format": 2}))
    else:
        text = said["contents"].replace("shop/web", "../../web")
        document.write_text(json.dumps({**said, "contents": text, "sha256": hashlib.sha256(text.encode()).hexdigest()}))
    cause = {
        "blob": "has other bytes than its name says",
        "gone": "is missing",
        "snapshot": "it was changed after it was written",
        "format": "it is of format 2",
        "name": "it names '../../web', which no registry does",
    }[what]
    for check in (True, False):
        with pytest.raises(DeliveryError, match="Nothing was restored: ") as refused:
            kept.restore(check=check, discard=True)
        assert cause in str(refused.value)
    assert kept.written.contents() == {**before, **beside(kept)}
    if what in ("blob", "gone"):
        kept.written.blob(b"arm64")
        kept.back_up(reread=True)
        assert kept.restore(snapshot=name, discard=True)["changed"]


def beside(kept: Kept) -> dict[str, bytes]:
    """What a restore that came to no end has left for the next one."""
    return {name: body for name, body in kept.written.contents().items() if name.startswith(kept.beside().name)}


@pytest.mark.parametrize("has_exchange", [True, False])
def test_what_is_not_served_after_it_is_taken_back(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, has_exchange: bool
) -> None:
    if not has_exchange:
        monkeypatch.setattr(restored_storage, "_exchanged", lambda first, second: False)
    replace_images(kept)
    before = kept.written.contents()
    real, turns = Proof.fault_of, iter(range(100))

    def failing(proof: Proof, promise: t.Any) -> str:
        return "blob x: HTTP 500" if next(turns) == 3 else real(proof, promise)

    monkeypatch.setattr(Proof, "fault_of", failing)
    with pytest.raises(DeliveryError, match=r"not serve all of it: blob x: HTTP 500. What was there before is back"):
        kept.restore(discard=True)
    assert kept.written.contents() == before

    class Stopped(BaseException):
        pass

    def stopped(proof: Proof, promise: t.Any) -> str:
        raise Stopped

    monkeypatch.setattr(Proof, "fault_of", stopped)
    with pytest.raises(Stopped):
        kept.restore(discard=True)
    assert kept.written.contents() == {**before, **beside(kept)}
    monkeypatch.setattr(Proof, "fault_of", real)
    assert kept.restore(discard=True)["copied"] == 0, "that is there already"
    assert kept.written.tagged()["shop"]


@pytest.mark.parametrize(("has_exchange", "had_images"), [(True, True), (False, True), (True, False)])
def test_a_restore_that_is_killed_at_any_step_leaves_what_was_there_or_what_is_whole_and_the_next_completes(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_exchange: bool, had_images: bool
) -> None:
    if not has_exchange:
        monkeypatch.setattr(restored_storage, "_exchanged", lambda first, second: False)
    wanted = links(kept)
    if had_images:
        replace_images(kept)
    else:
        shutil.rmtree(kept.written.root / "docker")
    shutil.copytree(kept.written.root, tmp_path / "as-it-was")
    there = links(kept)
    ends, number = set(), 0
    while killed_at(lambda: kept.restore(discard=True), number, CHANGES):
        served = {name: body for name, body in links(kept).items() if name.startswith("docker/")}
        if (kept.written.root / "docker").exists():
            ends.add("before" if served == there else "after")
            assert served in (there, wanted), number
        kept.restore(discard=True)
        assert links(kept) == wanted, number
        assert kept.written.tagged()["shop"]
        assert not kept.beside().exists()
        assert not (kept.written.root / "docker" / restored_storage.MARK).exists()
        shutil.rmtree(kept.written.root)
        shutil.copytree(tmp_path / "as-it-was", kept.written.root)
        number += 1 if number < 20 else 7  # by then the rest is deletion
    assert number > 15
    assert "after" in ends


def cut_off(kept: Kept, monkeypatch: pytest.MonkeyPatch, **options: t.Any) -> None:
    """Leave what a restore leaves that is killed when all is served and nothing is proved."""

    class Killed(BaseException):
        pass

    def killed(*_given: object) -> t.NoReturn:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Proof, "fault_of", killed)
        patched.setattr(restored_storage.RestoredStorage, "take_back", killed)
        with pytest.raises(Killed):
            kept.restore(**options)
    assert (kept.written.root / "docker" / restored_storage.MARK).exists()


def test_what_was_not_proved_is_not_served_after_a_run_that_is_refused(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_images(kept)
    before = kept.written.contents()
    cut_off(kept, monkeypatch, discard=True)
    with pytest.raises(DeliveryError, match="would lose it"):
        kept.restore()
    assert kept.written.contents() == {**before, **beside(kept)}


def test_what_was_begun_of_another_snapshot_is_of_no_use(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    first, blobs = kept.snapshots()[0], kept.written.blobs()
    replace_images(kept)
    kept.back_up()
    shutil.rmtree(kept.written.repository("shop/other"))
    cut_off(kept, monkeypatch, discard=True)
    kept.restore(snapshot=first, discard=True)
    assert kept.written.blobs() == blobs
    assert not kept.beside().exists()


def test_what_a_cut_off_exchange_leaves_is_not_guessed_at(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry that found no directory of its images has made one, and taken a push, before the next run."""
    kept.beside().mkdir()
    (kept.written.root / "docker").rename(kept.beside() / "between")
    kept.written.tag("shop/web", "2", kept.written.image("shop/web", b"newer"))
    before = kept.written.contents()
    with pytest.raises(DeliveryError, match=r"the registry has made a new one since. Keep the one that has the images"):
        kept.restore()
    assert kept.written.contents() == before


def test_a_disk_that_is_full_or_too_small_is_told(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(kept.written.root / "docker")
    real = os.statvfs
    with monkeypatch.context() as patched:
        patched.setattr(os, "statvfs", lambda path: os.statvfs_result([*real(path)[:4], 3, *real(path)[5:]]))
        with pytest.raises(DeliveryError, match=r"14 blobs would take 2 MiB, and at .* there has to be room for both"):
            kept.restore()
    assert [path.name for path in kept.written.root.iterdir()] == [NOTE]
    turns, real_sync = iter(range(100)), os.fsync

    def fills(number: int) -> None:
        if next(turns) == 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        real_sync(number)

    monkeypatch.setattr(os, "fsync", fills)
    with pytest.raises(DeliveryError, match="Nothing was restored: there is no room left"):
        kept.restore()
    assert not (kept.written.root / "docker").exists()
    assert kept.restore()["copied"] == 10


def test_files_come_back_where_all_of_them_are_missing_or_the_same(kept: Kept, tmp_path: Path) -> None:
    authority, key = tmp_path / "etc/ca.crt", tmp_path / "etc/ca.key"
    files = [str(authority), str(key), str(tmp_path / "etc/of-no-backup")]
    authority.parent.mkdir()
    authority.write_text("the authority")
    key.write_text("its key")
    key.chmod(0o600)
    kept.back_up(files=files)
    shutil.rmtree(authority.parent)
    assert kept.restore(check=True, files=files, storage="")["files"] == files[:2]
    assert not authority.parent.exists()
    done = kept.restore(files=files, storage="")
    assert (done["changed"], done["files"], done["proved"]) == (True, files[:2], 0)
    assert (authority.read_text(), key.read_text(), key.stat().st_mode & 0o777) == ("the authority", "its key", 0o600)
    assert not kept.restore(files=files, storage="")["changed"]
    key.unlink()
    assert kept.restore(files=files, storage="")["files"] == [str(key)]
    key.unlink()
    authority.write_text("another")
    assert kept.restore(files=files)["files"] == []
    assert not key.exists()
    assert f"On this host {authority} is another than in the backup and stays" in kept.warnings[-1]


def test_a_restore_waits_for_a_collection_of_garbage(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quiet_storage, "_PATIENCE", 0.05)
    notes = tmp_path / "notes"
    notes.mkdir()
    with Notes(str(notes)).alone(), pytest.raises(DeliveryError, match="Garbage is being collected on this host"):
        kept.restore(garbage_notes=str(notes))
    kept.restore(garbage_notes=str(notes))


def test_what_cannot_be_is_refused(kept: Kept, tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match=r"is no backup of a registry. Name the directory"):
        kept._replace(directory=tmp_path).restore()
    shutil.rmtree(kept.written.repository("shop"))
    kept.registry.stop()
    before = kept.written.contents()
    with pytest.raises(DeliveryError, match=r"the registry does not answer on 127.0.0.1 port \d+ .*Start it first"):
        kept.restore()
    assert kept.written.contents() == before
    for snapshot in (kept.directory / "snapshots").iterdir():
        snapshot.unlink()
    with pytest.raises(DeliveryError, match="has no snapshot: the first backup has not ended"):
        kept.restore()


def test_of_a_storage_one_restore_goes_on_and_no_backup_meanwhile(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = kept._replace(directory=tmp_path / "elsewhere")
    elsewhere.back_up()
    replace_images(kept)
    changed = kept.written.contents()
    refused: list[str] = []

    def make(*given: t.Any) -> None:
        for other in (elsewhere.restore, elsewhere.back_up):
            with pytest.raises(DeliveryError, match=r"being restored on this host, or backed up") as fault:
                other()
            refused.append(str(fault.value))
        assert kept.written.contents() == changed
        whole(*given)

    whole = restored_storage.RestoredStorage.make
    monkeypatch.setattr(restored_storage.RestoredStorage, "make", make)
    assert kept.restore(discard=True)["changed"]
    assert len(refused) == 2
    elsewhere.back_up()
