# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The plan for one file: which entries come, which go, and which bytes that leaves. Pure."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.atomic import FileState
from ansible_collections.longshore.delivery.plugins.module_utils.trust import daemon_json
from ansible_collections.longshore.delivery.plugins.module_utils.trust.entry import (
    BLOCK,
    LISTS,
    Content,
    Entry,
    Occupied,
)
from ansible_collections.longshore.delivery.plugins.module_utils.trust.ledger import Record, digest


@dataclasses.dataclass(frozen=True)
class FileStep:
    """New bytes for one file.

    :param before: the file as it is, None if it is not there.
    :param after: its bytes then, None if it goes.
    :param interim: bytes to write first, before the engine is told; C(after) follows when it has taken them over.
    :param puts_in: whether an entry comes, not only goes.
    :param keep: bytes to keep for the day when the entries go.
    """

    path: str
    before: t.Optional[FileState]
    after: Content
    mode: int
    engines: t.Tuple[str, ...]
    kinds: t.FrozenSet[str]
    puts_in: bool
    interim: Content = None
    keep: Content = None


@dataclasses.dataclass(frozen=True)
class FilePlan:
    """:param record: the ledger's record of the file afterwards, None if there is to be none."""

    step: t.Optional[FileStep]
    record: t.Optional[Record]
    refusals: t.Tuple[str, ...] = ()
    remarks: t.Tuple[str, ...] = ()


def plan_file(
    path: str,
    wanted: t.Sequence[Entry],
    endpoints: t.Optional[t.FrozenSet[str]],
    engines: t.Container[str],
    state: t.Optional[FileState],
    record: t.Optional[Record],
    stored: t.Mapping[str, bytes],
    override: bool,
) -> FilePlan:
    """Plan one file.

    :param endpoints: the registries whose unwanted entries go; None for all.
    :param engines: the engines whose entries may go.
    :raises TomlError, BrokenJson, Refused, UnicodeDecodeError: the file cannot be edited as it is.
    """
    content = None if state is None else state.content
    if record is not None and digest(content) == record.before:
        record = None  # a run was cut off before it wrote, or somebody has put the bytes back: nothing of ours is there
    owned = record.entries if record is not None else ()
    here = [entry for entry in wanted if entry.path == path]
    gone, kept = _sorted_out(owned, here, endpoints, engines)
    is_untouched = record is not None and digest(content) == record.after
    # what is wanted may be a part of what goes, as one of two authorities is
    left = _without(content, (entry for entry in gone if entry.kind == BLOCK and entry.is_in(content)))
    missing = [entry for entry in here if not entry.is_in(left if entry.kind == BLOCK else content)]
    if not gone and not missing:
        return FilePlan(_mode_step(path, state, here, kept), _renewed(record, kept))
    kept = _still_there(kept, content)
    after, remarks = content, []
    for entry in gone:
        if entry.kind == BLOCK and after is not None and not entry.is_in(after):
            remarks.append(
                "%s was changed since and keeps its content: what this collection wrote cannot be told apart in it."
                % path
            )
            continue
        after = entry.taken_from(after)
    original = after if not kept else _without(after, kept)
    for entry in missing:
        try:
            after, put = entry.put_into(after, override or (is_untouched and bool(owned)))
        except Occupied:
            whose = (
                "was changed since this collection wrote it"
                if owned
                else "is there and was not written by this collection"
            )
            text = "%s %s: move what it says, or set 'override' to replace it (absent brings it back)." % (path, whose)
            return FilePlan(None, record, (text,))
        # the one that was there is also for the registries and engines that this run is not about
        twin = next((own for own in kept if own.is_same_thing(put)), put)
        put = dataclasses.replace(put, endpoints=twin.endpoints, engines=twin.engines)
        kept = [*(own for own in kept if own is not twin), put]
    keep, before, mode = original, digest(original), 0o644 if state is None else state.mode
    if record is not None and is_untouched:
        keep, before, mode = None, record.before, record.mode
    if not kept and is_untouched and record is not None:
        after, remark = _given_back(path, record, after, stored)
        remarks += remark
    interim = None
    for key in dict.fromkeys(LISTS[entry.kind] for entry in gone if entry.kind in LISTS):
        if key not in daemon_json.document(after):
            interim = daemon_json.with_list(after if interim is None else interim, key)
    step = None
    if after != content:
        ours = all(entry.kind == BLOCK for entry in (*gone, *kept))
        kinds = frozenset(entry.kind for entry in (*gone, *missing))
        readers = dict.fromkeys(name for entry in (*gone, *missing) for name in entry.engines)
        new_mode = _mode_of(kept) if ours or state is None else state.mode
        if not kept and record is not None:
            new_mode = record.mode
        step = FileStep(
            path, state, after, new_mode, tuple(readers), kinds, bool(missing), interim, keep if kept else None
        )
    if not kept:
        return FilePlan(step, None, (), tuple(remarks))
    return FilePlan(step, Record(before, mode, str(digest(after)), tuple(kept)), (), tuple(remarks))


def _without(content: Content, entries: t.Iterable[Entry]) -> Content:
    for entry in entries:
        content = entry.taken_from(content)
    return content


def _sorted_out(
    owned: t.Sequence[Entry],
    wanted: t.Sequence[Entry],
    endpoints: t.Optional[t.FrozenSet[str]],
    engines: t.Container[str],
) -> t.Tuple[t.List[Entry], t.List[Entry]]:
    """The owned entries that go, and those that stay, for the registries and engines that still want them."""
    gone, kept = [], []
    for entry in owned:
        twin = next((other for other in wanted if other.is_same_thing(entry)), None)
        if twin is None and (entry.shares or any(other.shares for other in wanted)):
            gone.append(entry)  # what is wanted in its place, if anything, has the shares that stay
            continue
        left_endpoints = [name for name in entry.endpoints if endpoints is not None and name not in endpoints]
        left_engines = [name for name in entry.engines if name not in engines]
        if left_engines:  # an engine that is not served now still reads it
            left_endpoints = list(entry.endpoints)
        if twin is not None:
            left_endpoints += [name for name in twin.endpoints if name not in left_endpoints]
        if not left_endpoints:
            gone.append(entry)
            continue
        readers = left_engines if left_engines and twin is None else list(entry.engines)
        readers += [name for name in (twin.engines if twin else ()) if name not in readers]
        kept.append(dataclasses.replace(entry, endpoints=tuple(left_endpoints), engines=tuple(readers)))
    return gone, kept


def _still_there(kept: t.Sequence[Entry], content: Content) -> t.List[Entry]:
    """The entries without those that others took out of Docker's lists: one of that name would be another's from now on."""
    return [entry for entry in kept if entry.kind not in LISTS or entry.is_in(content)]


def _renewed(record: t.Optional[Record], kept: t.Sequence[Entry]) -> t.Optional[Record]:
    return None if record is None or not kept else dataclasses.replace(record, entries=tuple(kept))


def _mode_step(
    path: str, state: t.Optional[FileState], here: t.Sequence[Entry], kept: t.Sequence[Entry]
) -> t.Optional[FileStep]:
    """A file of the collection alone must be readable by every user, but for a key: one of mode 0600 breaks rootless Podman."""
    ours = [entry for entry in here if any(entry.is_same_thing(own) for own in kept) and entry.kind == BLOCK]
    if state is None or not ours or state.mode == _mode_of(ours):
        return None
    readers = dict.fromkeys(name for entry in ours for name in entry.engines)
    return FileStep(path, state, state.content, _mode_of(ours), tuple(readers), frozenset([BLOCK]), True)


def _mode_of(entries: t.Sequence[Entry]) -> int:
    """The narrowest that these ask for, 0644 where there are none."""
    return min((entry.mode for entry in entries), default=0o644)


def _given_back(
    path: str, record: Record, computed: Content, stored: t.Mapping[str, bytes]
) -> t.Tuple[Content, t.List[str]]:
    """The very bytes of before; where they are lost, the file without the collection's entries."""
    if record.before is None:
        return None, []
    if record.before in stored:
        return stored[record.before], []
    lost = (
        "The bytes that %s had before are no longer kept: only this collection's entries were taken out of it." % path
    )
    return computed, [lost]
