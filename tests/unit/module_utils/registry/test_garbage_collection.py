# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A collection of garbage beside a real registry, interrupted at each of its steps."""

from __future__ import annotations

import concurrent.futures
import contextlib
import fcntl
import json
import re
import socket
import threading
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.registry import garbage_collection, garbage_gate
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_collection import (
    settle,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_notes import (
    IDLE,
    PROVED,
    PUTTING_ASIDE,
    Busy,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_plan import Rules
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_proof import Proof
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_storage import (
    ASIDE,
    Storage,
    bring_back,
    put_aside,
)

from .conftest import Serve, StartRegistry
from .garbage_place import Place, gone, with_garbage
from .killing import killed_at

CHANGES = ("rename", "unlink", "rmdir", "fsync")


@pytest.fixture
def place(start_registry: StartRegistry, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(garbage_gate, "_PAUSE", 0.001)
    return with_garbage(start_registry(), serve, tmp_path)


def test_garbage_goes_and_the_rest_is_proved(place: Place, tmp_path: Path) -> None:
    needed, going = place.written.tagged(), gone(place)
    size = sum(place.written.blob_file(digest).stat().st_size for digest in going)
    result = place.collect()
    assert (result.fault, result.missing) == ("", ())
    assert (result.manifests, result.layers, result.blobs, result.size) == (1, 3, 4, size)
    assert result.proved == sum(map(len, needed.values()))
    assert 0 < result.refused_seconds < 30
    assert place.written.tagged() == needed
    assert gone(place) == set()
    assert place.notes.phase == IDLE
    assert not place.flag.exists()
    kept = json.loads((tmp_path / "notes/result.json").read_text())
    assert kept == result.as_json()
    assert kept["began"].endswith("Z")


def test_writes_are_not_refused_where_there_is_no_garbage(place: Place) -> None:
    place.collect()
    asked: list[str] = []
    result = place.collect(say=asked.append)
    assert (result.fault, result.blobs, result.refused_seconds) == ("", 0, 0.0)
    assert "refusing writes" not in asked


def test_manifests_without_a_tag_are_noted(place: Place) -> None:
    rules = Rules(recent=0, untagged=3600)
    assert place.collect(rules=rules).manifests == 0
    assert len(place.notes.untagged) == 1
    place.notes.keep_untagged({noted: since - 7200 for noted, since in place.notes.untagged.items()})
    assert place.collect(rules=rules).manifests == 1
    assert place.notes.untagged == {}


def test_a_run_that_is_killed_at_any_step_leaves_all_that_is_needed_and_the_next_completes(place: Place) -> None:
    needed, before, contents = place.written.tagged(), place.written.files(), place.written.contents()
    phases, number = set(), 0
    while killed_at(lambda: place.collect(say=lambda line: None), number, CHANGES):
        assert place.written.tagged() == needed, number
        phase = place.notes.phase
        phases.add(phase)
        if number % 2:  # as systemd does when the service has ended; the next run does it too
            settle(Storage(str(place.written.root)), place.notes, place.gate, print)
            assert not place.asides()
            assert not place.flag.exists()
            if phase == PUTTING_ASIDE:
                assert place.written.files() == before
            else:
                assert place.written.files().items() <= before.items()
        result = place.collect()
        assert result.fault == "", number
        assert (place.written.tagged(), gone(place), place.asides()) == (needed, set(), [])
        assert not place.flag.exists()
        for name in before.keys() - place.written.files().keys():  # the garbage for the next turn
            place.written.write(place.written.root / name, contents[name], before[name])
        number += 1
    assert phases == {IDLE, PUTTING_ASIDE, PROVED}
    assert number > 20


@pytest.mark.parametrize("phase", [PUTTING_ASIDE, PROVED])
def test_all_is_served_before_anything_is_deleted(place: Place, phase: str) -> None:
    aside = put_aside(str(place.written.blob_file(max(gone(place))).parent))
    place.notes.enter(phase)
    place.flag.touch()
    there: list[tuple[list[Path], bool]] = []
    storage = Storage(str(place.written.root))
    settle(
        storage,
        place.notes,
        place.gate,
        print,
        lambda: there.append((place.asides(), Path(aside[: -len(ASIDE)]).exists())),
    )
    assert there == [([Path(aside)], False) if phase == PROVED else ([], True)]
    assert (place.asides(), place.notes.phase, place.flag.exists()) == ([], IDLE, False)


def test_a_collection_waits_for_one_that_only_deletes(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    waits, flock = threading.Event(), fcntl.flock

    def claiming(file: int, how: int) -> None:
        if how == fcntl.LOCK_EX:
            waits.set()
        flock(file, how)

    monkeypatch.setattr(fcntl, "flock", claiming)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        with place.notes.alone():
            place.notes.enter(PROVED)
            other = pool.submit(place.collect)
            assert waits.wait(20)
            place.notes.enter(IDLE)
        assert other.result(60).fault == ""
    assert gone(place) == set()


def test_what_was_put_aside_comes_back_when_the_notes_are_lost(place: Place) -> None:
    needed, before = place.written.tagged(), place.written.files()
    aside = place.written.blob_file(max(gone(place))).parent
    aside.rename(f"{aside}{ASIDE}")
    rules = Rules(recent=1e9)
    assert place.collect(rules=rules).fault == ""
    assert (place.written.tagged(), place.written.files()) == (needed, before)


@pytest.mark.parametrize("call", ["put_aside", "fault_of"])
def test_whatever_fails_ends_with_all_of_it_back(place: Place, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    before, turns = place.written.files(), iter(range(100))
    where: t.Any = garbage_collection if call == "put_aside" else Proof
    real = getattr(where, call)

    def failing(*given: t.Any) -> t.Any:
        if next(turns) == 2:
            raise OSError("the disk is broken")
        return real(*given)

    monkeypatch.setattr(where, call, failing)
    result = place.collect()
    assert result.fault == "the disk is broken"
    assert result.blobs == 0
    assert (place.written.files(), place.notes.phase) == (before, IDLE)
    assert not place.flag.exists()
    assert place.collect().fault == ""


def test_the_time_for_which_writes_are_refused_is_looked_at_while_the_storage_is_read(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is put aside, and after: then writes are let through, and only then it is brought back."""
    before, put, brought = place.written.files(), list[str](), list[bool]()

    def putting_aside(directory: str) -> str:
        put.append(directory)
        return put_aside(directory)

    monkeypatch.setattr(garbage_collection, "put_aside", putting_aside)
    fault = place.collect(at_most=0).fault
    assert (fault.startswith("it took longer than writes may be refused"), put) == (True, [])

    read = Storage.read

    def in_time_the_first_time(storage: Storage, check: t.Callable[[], None] = lambda: None) -> t.Any:
        if not put:
            return read(storage)
        monkeypatch.setattr(time, "monotonic", lambda: float("inf"))
        return read(storage, check)

    def bringing_back(aside: str) -> None:
        brought.append(place.flag.exists())
        bring_back(aside)

    monkeypatch.setattr(Storage, "read", in_time_the_first_time)
    monkeypatch.setattr(garbage_collection, "bring_back", bringing_back)
    monkeypatch.setattr(garbage_collection, "_strange", lambda *given: pytest.fail("it has read all of it"))
    assert place.collect().fault == fault
    assert put
    assert brought == [False] * len(put)
    assert (place.written.files(), place.notes.phase) == (before, IDLE)


def test_a_signal_ends_with_all_of_it_back(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stopped(BaseException):
        pass

    def stopped(*given: t.Any) -> t.NoReturn:
        raise Stopped

    before = place.written.files()
    monkeypatch.setattr(Proof, "fault_of", stopped)
    with pytest.raises(Stopped):
        place.collect()
    assert (place.written.files(), place.notes.phase) == (before, IDLE)
    assert not place.flag.exists()


def lose(place: Place, monkeypatch: pytest.MonkeyPatch, lost: Path) -> None:
    """Have something that is needed vanish with the garbage, as by a fault of the collection."""
    real = Storage.places
    monkeypatch.setattr(Storage, "places", lambda storage, garbage: [*real(storage, garbage), str(lost)])


@pytest.mark.parametrize("what", ["layer", "blob", "child", "tag"])
def test_what_goes_with_the_garbage_comes_back_with_it(
    place: Place, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    before, needed = place.written.files(), place.written.tagged()
    layers = {layer["digest"] for digest in needed["shop/web"] for layer in _layers(place, digest)}
    (layer,) = layers - needed["shop"]
    (child,) = {digest for digest in needed["shop"] if _layers(place, digest)} & {min(_children(place))}
    lose(
        place,
        monkeypatch,
        {
            "layer": place.written.link_file("shop/web", "_layers", layer).parent,
            "blob": place.written.blob_file(layer).parent,
            "child": place.written.link_file("shop", "_manifests/revisions", child).parent,
            "tag": place.written.repository("shop/web") / "_manifests/tags/1",
        }[what],
    )
    result = place.collect()
    gone_too = {
        "layer": f"layer shop/web@{layer}",
        "blob": f"blob {layer}",
        "child": f"manifest shop@{child}",
        "tag": "tag shop/web:1 of sha256:",
    }
    assert re.search(f"{re.escape(gone_too[what])}\\S* is gone", result.fault)
    assert result.fault.endswith("Have all clients come through nginx")
    assert place.written.files() == before
    assert (result.blobs, result.size, result.proved) == (0, 0, 0)
    assert place.notes.phase == IDLE


def test_a_doubt_brings_everything_back(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even one that a fault of the collection is behind, which did not see what it had taken."""
    before, needed = place.written.files(), place.written.tagged()
    (layer,) = {layer["digest"] for digest in needed["shop/web"] for layer in _layers(place, digest)} - needed["shop"]
    lose(place, monkeypatch, place.written.blob_file(layer).parent)
    monkeypatch.setattr(garbage_collection, "_strange", lambda *given: [])
    result = place.collect()
    assert f"did not serve all that is needed: blob shop/web@{layer}: HTTP 404" in result.fault
    assert result.fault.endswith("everything was brought back, and is served")
    assert place.written.files() == before
    assert (result.blobs, result.size, result.proved) == (0, 0, 0)
    assert place.notes.phase == IDLE


def _layers(place: Place, digest: str) -> list[dict[str, str]]:
    body = place.written.blob_file(digest).read_bytes()
    return json.loads(body).get("layers", []) if body.startswith(b'{"schemaVersion"') else []


def _children(place: Place) -> list[str]:
    (tagged,) = (place.written.repository("shop") / "_manifests/tags").glob("*/current/link")
    return [child["digest"] for child in place.written.document(tagged.read_text())["manifests"]]


def test_what_was_not_served_before_either_is_said(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Proof, "fault_of", lambda proof, promise: f"{promise.repository} is broken")
    before = place.written.files()
    assert "with everything brought back it does not either: shop is broken" in place.collect().fault
    assert place.written.files() == before


def test_a_write_past_nginx_is_noticed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def writing(directory: str) -> str:
        place.written.tag("shop/web", "2", place.written.image("shop/web", b"new", changed_at=time.time()))
        return put_aside(directory)

    monkeypatch.setattr(garbage_collection, "put_aside", writing)
    before = place.written.files()
    fault = place.collect().fault
    assert fault.startswith("somebody wrote to the registry past nginx")
    assert "tag shop/web:2 of sha256:" in fault
    assert before.items() <= place.written.files().items()
    monkeypatch.undo()
    assert place.collect().fault == ""


def test_a_registry_that_remembers_what_is_gone_keeps_it(
    start_registry: StartRegistry, serve: Serve, tmp_path: Path
) -> None:
    """With a cache in its memory it tells a client that a layer is there, and the client does not send it."""
    place = with_garbage(start_registry(cache=True), serve, tmp_path)
    (layer,) = {layer["digest"] for digest in gone(place) for layer in _layers(place, digest)} & gone(place)
    with contextlib.closing(Proof(place.registry.port)) as proof:
        assert proof.still_has("shop", layer)
    before = place.written.files()
    assert "Take 'cache' out of the configuration of its storage" in place.collect().fault
    assert place.written.files() == before


def test_nothing_happens_while_the_registry_is_away(place: Place) -> None:
    place.registry.stop()
    before = place.written.files()
    result = place.collect()
    assert "the registry does not answer on 127.0.0.1" in result.fault
    assert (place.written.files(), result.refused_seconds) == (before, 0.0)


def test_nothing_happens_while_a_needed_manifest_cannot_be_read(place: Place) -> None:
    digest = (place.written.repository("shop/web") / "_manifests/tags/1/current/link").read_text()
    place.written.write(place.written.blob_file(digest), b"{}")
    before = place.written.files()
    result = place.collect()
    assert f"what is needed cannot be known: shop/web@{digest}: its bytes have another digest" in result.fault
    assert (place.written.files(), result.refused_seconds) == (before, 0.0)


def test_nothing_happens_where_nginx_does_not_refuse(place: Place) -> None:
    place.gate.flag += ".other"
    before = place.written.files()
    result = place.collect()
    assert "answers a write with HTTP 404, where it has to refuse it with 503" in result.fault
    assert place.written.files() == before
    assert not Path(place.gate.flag).exists()


def test_nothing_happens_where_nothing_is_in_front(place: Place, listening: socket.socket) -> None:
    place.gate.port = listening.getsockname()[1]
    listening.close()
    assert f"nginx does not answer on 127.0.0.1 port {place.gate.port}" in place.collect().fault


def test_two_at_once_are_one(place: Place) -> None:
    with place.notes.alone(), pytest.raises(Busy):
        place.collect()
    assert place.collect().fault == ""


def test_a_result_that_finds_no_room_keeps_nothing_from_being_collected(place: Place, tmp_path: Path) -> None:
    (tmp_path / "notes/result.json.new").symlink_to("/dev/full")
    assert place.collect().fault == ""
    assert not (tmp_path / "notes/result.json").exists()
    assert gone(place) == set()
