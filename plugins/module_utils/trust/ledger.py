# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The ledger of a node: what was written into which file, and the bytes that were there before. No secret is in it.

C(trust.json) holds the records; a file's bytes before are kept beside it under their digest, both for root alone.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils import atomic
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.trust.entry import Entry
from ansible_collections.longshore.delivery.plugins.module_utils.trust.locations import Locations
from ansible_collections.longshore.delivery.plugins.module_utils.trust.mirrors import Share
from ansible_collections.longshore.delivery.plugins.module_utils.trust.told_for import ToldFor

FORMAT = 1


@dataclasses.dataclass(frozen=True)
class Record:
    """What the collection did to one file.

    :param before: the digest of the file's bytes without the collection's entries, None if there was no file.
    :param mode: the permission bits before.
    :param after: the digest of the bytes that the collection left; another one means that somebody changed the file
        since.
    """

    before: t.Optional[str]
    mode: int
    after: str
    entries: t.Tuple[Entry, ...]


@dataclasses.dataclass(frozen=True)
class Ledger:
    """The records of a node by path.

    :param exists: whether there is a ledger on the node at all.
    :param pending: engines that have not taken over what their files say, and what is still to be done: reload or
        restart.
    :param verified: by engine and endpoint, the fingerprint of what a pull has proven.
    :param directories: those that were made for the files.
    :param told_for: for whose images the engines were told of a registry.
    :param earlier: the records of the files that a run was about to write, as they were before it.
    """

    exists: bool = False
    records: t.Mapping[str, Record] = dataclasses.field(default_factory=dict)
    pending: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    verified: t.Mapping[str, t.Mapping[str, str]] = dataclasses.field(default_factory=dict)
    directories: t.Tuple[str, ...] = ()
    told_for: ToldFor = dataclasses.field(default_factory=dict)
    earlier: t.Mapping[str, Record] = dataclasses.field(default_factory=dict)


def digest(content: t.Optional[bytes]) -> t.Optional[str]:
    """The digest under which bytes are recorded and kept, None for a file that is not there."""
    return None if content is None else hashlib.sha256(content).hexdigest()


def load(locations: Locations) -> Ledger:
    """Read the ledger; an empty one if there is none. Of a run that was cut off, what it came to is looked up in the files.

    :raises DeliveryError: it cannot be understood; nothing is guessed then.
    """
    state = atomic.read(locations.ledger)
    if state is None:
        return Ledger()
    try:
        document = json.loads(state.content)
        if document["format"] != FORMAT:
            raise ValueError("its format is %r, this collection writes %d" % (document["format"], FORMAT))
        records = {path: _record(fields) for path, fields in document["files"].items()}
        earlier = {path: _record(fields) for path, fields in document.get("earlier", {}).items()}
        records.update((path, record) for path, record in earlier.items() if _is_as_left(path, record))
        directories = tuple(document["directories"])
        told_for = {name: tuple(upstreams) for name, upstreams in document.get("told_for", {}).items()}
        return Ledger(True, records, dict(document["pending"]), dict(document["verified"]), directories, told_for)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DeliveryError(
            "The ledger %s, which says what this collection wrote on this node, cannot be understood (%s: %s). "
            "Nothing is changed. Bring "
            "the file back, or move it away: what it names then counts as written by others."
            % (locations.ledger, type(error).__name__, error)
        ) from None


def save(ledger: Ledger, locations: Locations) -> None:
    """Write the ledger, for root alone."""
    document = {
        "format": FORMAT,
        "files": {path: _fields(record) for path, record in sorted(ledger.records.items())},
        "directories": sorted(ledger.directories),
        "pending": dict(ledger.pending),
        "verified": {engine: dict(proven) for engine, proven in ledger.verified.items()},
        "told_for": {name: list(upstreams) for name, upstreams in ledger.told_for.items()},
        "earlier": {path: _fields(record) for path, record in sorted(ledger.earlier.items())},
    }
    atomic.make_directories(os.path.dirname(locations.ledger), 0o700)
    atomic.write(locations.ledger, (json.dumps(document, indent=1, sort_keys=True) + "\n").encode(), 0o600)


def store(content: bytes, locations: Locations) -> None:
    """Keep a file's bytes under their digest."""
    atomic.make_directories(locations.stored, 0o700)
    path = os.path.join(locations.stored, str(digest(content)))
    if not os.path.exists(path):
        atomic.write(path, content, 0o600)


def stored(name: str, locations: Locations) -> t.Optional[bytes]:
    """The bytes kept under a digest, None if they are gone or damaged."""
    state = atomic.read(os.path.join(locations.stored, name))
    return None if state is None or digest(state.content) != name else state.content


def forget_unused(ledger: Ledger, locations: Locations) -> None:
    """Remove the kept bytes that no record names any more."""
    used = {record.before for record in ledger.records.values()}
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir(locations.stored):
            if name not in used:
                atomic.remove(os.path.join(locations.stored, name))


def _is_as_left(path: str, record: Record) -> bool:
    try:
        state = atomic.read(path)
    except OSError:
        return False  # who has to read it says why it cannot be
    return state is not None and digest(state.content) == record.after


def _fields(record: Record) -> t.Dict[str, t.Any]:
    fields = dataclasses.asdict(record)
    for entry in fields["entries"]:
        if not entry["shares"]:
            del entry["shares"]
    return fields


def _record(fields: t.Mapping[str, t.Any]) -> Record:
    entries = []
    for entry in fields["entries"]:
        values: t.Dict[str, t.Any] = {
            key: tuple(item) if isinstance(item, list) else item for key, item in entry.items()
        }
        values["shares"] = tuple(Share(*share) for share in values.get("shares", ()))
        entries.append(Entry(**values))
    return Record(fields["before"], fields["mode"], fields["after"], tuple(entries))
