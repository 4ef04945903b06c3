# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backups of a real registry: what is in them, what a second one adds, and what comes of those that are cut off."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import threading
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry import backup_store, quiet_storage
from ansible_collections.longshore.delivery.plugins.module_utils.registry.backup_places import NOTE
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_contents import Contents
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_notes import Busy, Notes
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_storage import Storage
from tests.integration.registry_role.traffic import push

from .conftest import Settings, StartRegistry
from .kept_place import CHANGES, Kept, fill
from .killing import killed_at
from .storages import Written


@pytest.fixture
def kept(start_registry: StartRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kept:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "sync", lambda: None)  # of the whole machine, which other tests write to
    monkeypatch.setattr(quiet_storage, "_PAUSE", 0.01)
    registry = start_registry()
    written = Written(registry.directory / "data")
    fill(written)
    return Kept(registry, written, tmp_path / "backup", [])


def test_all_that_clients_can_name_is_copied_once(kept: Kept, tmp_path: Path) -> None:
    secret = tmp_path / "ca.key"
    secret.write_text("a key")
    secret.chmod(0o600)
    files = [str(secret), str(tmp_path / "not-there")]
    rehearsed = kept.back_up(check=True, files=files)
    assert not kept.directory.exists()
    first = kept.back_up(files=files)
    assert first == {**rehearsed, "snapshot": first["snapshot"]}
    assert (first["changed"], first["repositories"], first["tags"], first["manifests"]) == (True, 2, 2, 5)
    assert (first["blobs"], first["copied"]) == (len(kept.written.blobs()), len(kept.written.blobs()) + 1)
    assert first["copied_size"] == first["size"] + 5
    assert kept.copied().keys() == kept.written.blobs() | {"sha256:" + hashlib.sha256(b"a key").hexdigest()}
    for digest, body in kept.copied().items():
        assert digest == "sha256:" + hashlib.sha256(body).hexdigest()
    files_there = [path for path in kept.directory.rglob("*") if path.is_file() and path.name != backup_store.MARK]
    assert {path.stat().st_mode & 0o077 for path in [kept.directory, *files_there]} == {0}
    assert first["missing"] == []
    assert ["one is begun there" in said for said in kept.warnings] == [True, True]  # by the rehearsal too

    before = {path: path.stat().st_mtime_ns for path in (kept.directory, *kept.directory.rglob("*"))}
    again = kept.back_up(files=files)
    assert (again["changed"], again["copied"], again["snapshot"]) == (False, 0, first["snapshot"])
    assert not kept.back_up(check=True, files=files)["changed"]
    assert {path: path.stat().st_mtime_ns for path in (kept.directory, *kept.directory.rglob("*"))} == before

    kept.written.tag("shop/web", "2", kept.written.image("shop/web", b"newer", b"base"))
    newer = kept.back_up(files=files)
    assert (newer["changed"], newer["copied"], newer["tags"]) == (True, 3, 3)
    assert kept.snapshots() == [first["snapshot"], newer["snapshot"]]
    # a tag that moved back needs no new bytes, and is another moment
    kept.written.tag("shop/web", "2", kept.written.image("shop/web", b"web", b"base"))
    moved = kept.back_up(files=files)
    assert (moved["changed"], moved["copied"], len(kept.snapshots())) == (True, 0, 3)


def test_every_backup_is_whole_while_clients_push(kept: Kept, settings: Settings) -> None:
    stop, pushed = threading.Event(), list[str]()

    def go_on() -> None:
        with RegistryClient(settings(kept.registry.endpoint, login=False, tls="plain")) as pushing:
            while not stop.is_set():
                tag = str(len(pushed) % 7)
                push(pushing, "pushed", os.urandom(1000), tag)
                pushed.append(tag)

    pushes = threading.Thread(target=go_on)
    pushes.start()
    try:
        while pushes.is_alive() and not (len(pushed) > 5 and len(kept.snapshots()) > 3):
            assert kept.back_up()["missing"] == []
    finally:
        stop.set()
        pushes.join()
    assert len(kept.snapshots()) > 3
    shutil.rmtree(kept.written.root)
    for name in kept.snapshots():
        os.mkdir(kept.written.root)
        restored = kept.restore(snapshot=name)
        assert restored["tags"] == sum(1 for _link in kept.written.base.rglob("current/link"))
        assert kept.written.tagged()["shop"], "all that clients can name is whole"
        shutil.rmtree(kept.written.root)


def test_a_backup_that_is_killed_at_any_step_leaves_no_half_of_one_and_the_next_completes(kept: Kept) -> None:
    number = 0
    while killed_at(kept.back_up, number, CHANGES):
        for digest, body in kept.copied().items():
            assert digest == "sha256:" + hashlib.sha256(body).hexdigest()
        if kept.snapshots() if (kept.directory / "snapshots").is_dir() else []:
            assert kept.copied().keys() >= kept.written.blobs(), "a snapshot names what is there"
        done = kept.back_up()
        assert kept.copied().keys() == kept.written.blobs()
        assert kept.snapshots()[-1] == done["snapshot"]
        assert not (kept.directory / "partial").exists()
        shutil.rmtree(kept.directory)
        (kept.written.root / NOTE).unlink()
        number += 1
    assert number > 15


def test_a_full_disk_is_told_before_it_is_full_and_when_it_is(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        real = os.statvfs

        def full(path: str) -> t.Any:
            return os.statvfs_result([*real(path)[:4], 3, *real(path)[5:]])

        patched.setattr(os, "statvfs", full)
        with pytest.raises(
            DeliveryError, match=r"14 blobs would take 2 MiB, and where it goes, at \S+, 0 MiB are free"
        ):
            kept.back_up()
    assert kept.copied() == {}
    turns = iter(range(100))
    real_sync = os.fsync

    def fills(number: int) -> None:
        if next(turns) == 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        real_sync(number)

    monkeypatch.setattr(os, "fsync", fills)
    with pytest.raises(DeliveryError, match=r"there is no room left .* no snapshot names it"):
        kept.back_up()
    assert (len(kept.copied()), kept.snapshots()) == (4, [])
    assert not (kept.directory / "partial").exists()
    assert kept.back_up()["copied"] == len(kept.written.blobs()) - 4


def test_damage_in_the_registry_is_told_and_the_rest_is_backed_up(kept: Kept) -> None:
    layer = kept.written.blob(b"web")
    kept.written.blob_file(layer).write_bytes(b"wub")
    done = kept.back_up()
    assert [said.rpartition(" ")[2] for said in done["missing"]] == [layer]
    assert layer in kept.warnings[-1]
    assert kept.copied().keys() == kept.written.blobs() - {layer}
    assert not kept.back_up()["changed"]
    kept.written.blob_file(layer).write_bytes(b"web")
    mended = kept.back_up()
    assert (mended["changed"], mended["copied"], mended["missing"]) == (True, 1, [])


def test_a_link_that_is_empty_for_a_moment_is_read_again(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    links = [
        kept.written.repository("shop/web") / "_manifests/tags/1/current/link",
        next((kept.written.repository("shop/web") / "_layers").rglob("link")),
    ]
    for link in links:
        digest = link.read_text()
        link.write_text("")
        monkeypatch.setattr(time, "sleep", lambda _seconds, link=link, digest=digest: link.write_text(digest))
        assert kept.back_up()["missing"] == []
    links[0].write_text("")
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    with pytest.raises(DeliveryError, match=r"not backed up: \S+ holds no digest"):
        kept.back_up()


def test_the_last_snapshots_are_kept_with_what_they_need(kept: Kept) -> None:
    for number in range(4):
        shutil.rmtree(kept.written.repository("shop/web"))
        kept.written.tag("shop/web", "1", kept.written.image("shop/web", b"web %d" % number, b"base"))
        kept.back_up()
    assert len(kept.snapshots()) == 4
    done = kept.back_up(keep=2)
    assert (done["changed"], len(done["forgotten"]), len(kept.snapshots())) == (True, 2, 2)
    assert done["forgotten_blobs"] > 2
    assert not kept.back_up(keep=2)["changed"]
    shutil.rmtree(kept.written.root / "docker")
    for name in kept.snapshots():
        kept.restore(snapshot=name, discard=True)
    with pytest.raises(DeliveryError, match=f"has no snapshot {done['forgotten'][0]}; there are {kept.snapshots()[0]}"):
        kept.restore(snapshot=done["forgotten"][0])


def test_what_is_there_is_read_again_and_mended_when_asked(kept: Kept) -> None:
    kept.back_up()
    layer = kept.written.blob(b"web")
    copy = kept.directory / "blobs/sha256" / layer[7:9] / layer[7:]
    copy.write_bytes(b"wub")
    assert not kept.back_up()["changed"]
    assert kept.back_up(check=True, reread=True)["copied"] == 1
    assert kept.back_up(reread=True)["copied"] == 1
    assert copy.read_bytes() == b"web"
    assert not kept.back_up(reread=True)["changed"]


def test_a_backup_waits_for_a_collection_of_garbage(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    with Notes(str(notes)).alone():
        monkeypatch.setattr(quiet_storage, "_PATIENCE", 0.05)
        with pytest.raises(DeliveryError, match="Garbage is being collected on this host, and after 0 s it still is"):
            kept.back_up(garbage_notes=str(notes))
        assert kept.copied() == {}
    claimed, real = list[bool](), Storage.read

    def read(storage: Storage) -> Contents:
        claimed.append(is_claimed(notes))
        return real(storage)

    monkeypatch.setattr(Storage, "read", read)
    kept.back_up(garbage_notes=str(notes))
    assert claimed == [True]
    assert not is_claimed(notes)
    aside = kept.written.blob_file(kept.written.blob(b"web")).parent
    aside.rename(f"{aside}.longshore-garbage")
    with pytest.raises(DeliveryError, match="was put aside by a collection of garbage that was cut off"):
        kept.back_up(garbage_notes=str(notes))


def is_claimed(notes: Path) -> bool:
    try:
        with Notes(str(notes)).alone():
            return False
    except Busy:
        return True


def test_what_cannot_be_is_refused(kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    others = tmp_path / "others"
    others.mkdir()
    (others / "letter").write_text("mine")
    with pytest.raises(DeliveryError, match=f"{others} is no backup of a registry, and not empty"):
        kept._replace(directory=others).back_up()
    with pytest.raises(DeliveryError, match="which it is to be a backup of"):
        kept._replace(directory=kept.written.root / "backup").back_up()
    with pytest.raises(DeliveryError, match="which is relative"):
        kept._replace(directory=Path("backup")).back_up()
    with pytest.raises(DeliveryError, match="there is no directory /no/such"):
        kept.back_up(storage="/no/such")
    kept.back_up()
    store = backup_store.Store(str(kept.directory))
    with store.claimed(to_write=True), pytest.raises(DeliveryError, match=r"is under way\. Let it end first"):
        kept.back_up()
    (kept.written.root / "docker").rename(tmp_path / "not-mounted")
    with pytest.raises(
        DeliveryError, match="holds no repository, where the last snapshot had 2: perhaps it is not mounted"
    ):
        kept.back_up()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(DeliveryError, match="Set 'become: true'"):
        kept.back_up()
