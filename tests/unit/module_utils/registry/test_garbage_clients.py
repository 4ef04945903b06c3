# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clients that push, delete and upload beside a collection of garbage: what is waited for, what is refused, what is no doubt."""

from __future__ import annotations

import contextlib
import shutil
import socket
import threading
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.registry import garbage_gate
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_gate import WRITERS, Gate
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_notes import IDLE
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_plan import Promise
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_proof import Proof
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_listeners import clients_of

from .conftest import Serve, StartRegistry
from .garbage_place import Place, gone, with_garbage


@pytest.fixture
def place(start_registry: StartRegistry, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(garbage_gate, "_PAUSE", 0.001)
    return with_garbage(start_registry(), serve, tmp_path)


@pytest.fixture
def meanwhile(place: Place, monkeypatch: pytest.MonkeyPatch) -> t.Callable[[t.Callable[[], object]], None]:
    """Have clients do something when writes are let through again and the proof begins."""

    def doing(action: t.Callable[[], object]) -> None:
        real = Proof.fault_of
        done: list[object] = []

        def asked(proof: Proof, promise: Promise) -> str:
            if not done:
                assert not place.flag.exists()
                done.append(action())
            return real(proof, promise)

        monkeypatch.setattr(Proof, "fault_of", asked)

    return doing


def test_clients_push_and_delete_while_the_registry_is_asked(
    place: Place, meanwhile: t.Callable[[t.Callable[[], object]], None]
) -> None:
    """A tag that leads elsewhere by now, and what was deleted, is no doubt; garbage that was pushed again stays."""
    going = gone(place)

    def push_and_delete() -> None:
        place.written.tag("shop/web", "1", place.written.image("shop/web", b"new", b"gone", changed_at=time.time()))
        shutil.rmtree(place.written.repository("shop") / "_manifests")

    meanwhile(push_and_delete)
    result = place.collect()
    assert result.fault == ""
    (again,) = (digest for digest in going if place.written.blob_file(digest).exists())
    assert place.written.blob_file(again).read_bytes() == b"gone"
    tagged = (place.written.repository("shop/web") / "_manifests/tags/1/current/link").read_text()
    with contextlib.closing(Proof(place.registry.port)) as proof:
        assert not proof.fault_of(Promise("shop/web", tagged, 0, is_manifest=True, tags=("1",)))
        assert proof.still_has("shop/web", again)
    assert not place.asides()


def test_what_is_pushed_again_stays_when_a_doubt_brings_the_rest_back(
    place: Place, meanwhile: t.Callable[[t.Callable[[], object]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    now, before = time.time(), place.written.files()
    meanwhile(lambda: place.written.layer("shop", b"gone", now))
    monkeypatch.setattr(Proof, "still_has", lambda *given: True)
    assert "it has a cache" in place.collect().fault
    after = place.written.files()
    assert after.keys() == before.keys()
    assert sum(abs(moment - now) < 1 for moment in after.values()) == 2
    assert not place.asides()


def test_clients_are_known_by_their_addresses_until_the_server_has_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert clients_of(port) == []
        client = socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.2", 0))
        assert clients_of(port) == ["127.0.0.2"]
        accepted, _address = server.accept()
        client.close()
        assert clients_of(port) == ["127.0.0.2"], "the server may still work on what it got"
        accepted.close()
        assert clients_of(port) == []


@pytest.fixture
def uploading(place: Place) -> t.Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", place.registry.port), source_address=(WRITERS, 0)) as connection:
        yield connection


def test_a_moment_without_uploads_is_waited_for(place: Place, uploading: socket.socket) -> None:
    heard: list[tuple[str, bool]] = []

    def hear(said: str) -> None:
        heard.append((said, place.flag.exists()))
        if said == "waiting for a moment without uploads":
            uploading.close()

    with socket.create_connection(("127.0.0.1", place.registry.port)):  # a client that pulls
        assert place.collect(say=hear).fault == ""
    assert [heard[number] for number in (1, 2, 3)] == [
        ("waiting for a moment without uploads", False),
        ("refusing writes", False),
        ("no write is under way", True),
    ]


def test_uploads_under_way_end_while_writes_are_refused(
    place: Place, uploading: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Gate, "wait_for_a_quiet_moment", lambda gate, deadline: None)
    threading.Timer(0.5, uploading.close).start()
    result = place.collect()
    assert result.fault == ""
    assert result.refused_seconds >= 0.4


def test_an_upload_that_does_not_end_is_not_waited_for_for_ever(place: Place, uploading: socket.socket) -> None:
    before = place.written.files()
    result = place.collect(at_most=0.2)
    assert result.fault.startswith("1 upload did not end while writes were refused")
    assert 0.2 <= result.refused_seconds < 10
    assert place.written.files() == before
    assert not place.flag.exists()


def test_writes_are_let_through_after_the_time_that_they_may_be_refused(place: Place) -> None:
    before = place.written.files()
    result = place.collect(at_most=0)
    assert result.fault.startswith("it took longer than writes may be refused")
    assert (place.written.files(), place.notes.phase) == (before, IDLE)
