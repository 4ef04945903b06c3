# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A registry with garbage in it, and all that a collection works with."""

from __future__ import annotations

import contextlib
import typing as t
from pathlib import Path

from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_collection import Collection, Result
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_gate import Gate
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_notes import Notes
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_plan import Rules
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_proof import Proof
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_storage import ASIDE, Storage
from tests.http_server import Request

from .conftest import Serve
from .servers import Registry
from .storages import Written

RULES = Rules(recent=3600, untagged=0)


class Place(t.NamedTuple):
    """All that a collection works with: a registry with garbage in it, and what is in front of it."""

    registry: Registry
    written: Written
    flag: Path
    notes: Notes
    gate: Gate

    def collection(self, proof: Proof, **given: t.Any) -> Collection:
        storage = Storage(str(self.written.root))
        return Collection(
            storage, self.notes, self.gate, proof, **{"rules": RULES, "at_most": 60, "say": print, **given}
        )

    def collect(self, **given: t.Any) -> Result:
        with contextlib.closing(Proof(self.registry.port)) as proof:
            return self.collection(proof, **given).run()

    def asides(self) -> list[Path]:
        return [*self.written.root.rglob(f"*{ASIDE}")]


def with_garbage(registry: Registry, serve: Serve, directory: Path) -> Place:
    """Fill a registry, and put before it what refuses writes while a file is there."""
    written = Written(registry.directory / "data")
    children = [written.image("shop", b"amd64", b"base"), written.image("shop", b"arm64", b"base")]
    written.tag("shop", "1", written.index("shop", *children))
    written.image("shop", b"gone", b"base")
    written.layer("shop/web", b"alone")
    written.tag("shop/web", "1", written.image("shop/web", b"web", b"base"))
    flag = directory / "refused"

    def front(request: Request) -> tuple[int, dict[str, str], bytes]:
        return (503 if flag.exists() else 404), {}, b""

    (directory / "notes").mkdir()
    gate = Gate(str(flag), "http", "127.0.0.1", serve(front).port, registry.port)
    return Place(registry, written, flag, Notes(str(directory / "notes")), gate)


def gone(place: Place) -> set[str]:
    """The blobs that are garbage there."""
    needed = {digest for digests in place.written.tagged().values() for digest in digests}
    return place.written.blobs() - needed
