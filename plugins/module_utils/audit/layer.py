# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What is in one layer, as its tar stream tells it."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.audit import secret_files
from ansible_collections.longshore.delivery.plugins.module_utils.audit.secret_scan import Sighting
from ansible_collections.longshore.delivery.plugins.module_utils.audit.tar_header import Member
from ansible_collections.longshore.delivery.plugins.module_utils.audit.tar_stream import TarStream
from ansible_collections.longshore.delivery.plugins.module_utils.audit.uncompressed import blocks, read_ahead
from ansible_collections.longshore.delivery.plugins.module_utils.verified_stream import Readable

# OCI image specification 1.1, "Whiteouts"
_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_AUFS = ".wh..wh."  # what AUFS keeps for itself under this prefix is no whiteout


# what looks for secrets in a file, as SecretScan.file does: path, size, the bytes in pieces
FileScan = t.Callable[[str, int, t.Iterable[bytes]], t.List[Sighting]]


class Entry(t.NamedTuple):
    """A path that a layer writes.

    C(kind) is C(file), C(directory) or C(other); a hard link is an C(other) of no size, as its bytes are the other name's:
    C(target) is the path of the file that has them, empty for all else.
    """

    kind: str
    size: int
    mode: int
    target: str = ""


@dataclasses.dataclass(frozen=True)
class LayerContents:
    """A layer by itself: what it does to the layers below is known when they are all there.

    :param entries: what it writes, by path without leading slash.
    :param whiteouts: paths that it deletes from the layers below.
    :param opaque: directories of which it hides everything below; '' is the root.
    :param sightings: secrets in it.
    :param archive_bytes: how long its tar archive is.
    """

    entries: t.Mapping[str, Entry]
    whiteouts: t.Tuple[str, ...] = ()
    opaque: t.Tuple[str, ...] = ()
    sightings: t.Tuple[Sighting, ...] = ()
    archive_bytes: int = 0

    @property
    def size(self) -> int:
        """The bytes of its files."""
        return sum(entry.size for entry in self.entries.values())


def read_layer(stream: Readable, scan: FileScan) -> LayerContents:
    """Read a layer's stream once, compressed or not, to its end.

    :raises UnreadableLayer: it is damaged or compressed in an unknown way.
    """
    entries: t.Dict[str, Entry] = {}
    whiteouts: t.List[str] = []
    opaque: t.List[str] = []
    sightings: t.List[Sighting] = []
    repositories: t.Set[str] = set()
    with read_ahead(blocks(stream)) as ahead:
        tar = TarStream(ahead)
        for member, pieces in tar.members():
            path = normal(member.name)
            directory, _slash, name = path.rpartition("/")
            if name == _OPAQUE:
                opaque.append(directory)
            elif name.startswith(_WHITEOUT):
                if not name.startswith(_AUFS):
                    whiteouts.append(normal(directory + "/" + name[len(_WHITEOUT) :]))
            elif path and member.is_hard_link:
                target = normal(member.target)
                if target in entries:  # the one that has the bytes, if this is another link to them
                    target = entries[target].target or target
                if target != path:
                    entries[path] = Entry("other", 0, member.mode, target)
                    sightings += _sighted_link(path, target, entries, sightings)
            elif path:
                entries[path] = Entry(_kind(member), member.size if member.is_file else 0, member.mode)
                if member.is_file:
                    sightings += _sighted(path, member.size, pieces, scan)
                    sightings += _repository(path, repositories)
        return LayerContents(entries, tuple(whiteouts), tuple(opaque), tuple(sightings), tar.position)


def read_line(name: str, layer: LayerContents) -> str:
    """What is shown of a layer that was read."""
    return "read %s (%d MB)" % (name, layer.archive_bytes // 1_000_000)


def normal(name: str) -> str:
    """A member's name as a path: no leading slash, no '.', no slash at the end."""
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def _kind(member: Member) -> str:
    return "file" if member.is_file else "directory" if member.is_directory else "other"


def _sighted(path: str, size: int, pieces: t.Iterator[bytes], scan: FileScan) -> t.List[Sighting]:
    found = scan(path, size, pieces)
    by_name = secret_files.named(path)
    if by_name and size and not any(sighting.rule == by_name[0] for sighting in found):
        found.append(Sighting(path, by_name[0], by_name[1]))
    return found


def _repository(path: str, known: t.Set[str]) -> t.List[Sighting]:
    """The repository that a file shows, unless it is among those known in the layer, where it is then."""
    repository = secret_files.git_directory(path)
    if repository is None or repository in known:
        return []
    known.add(repository)
    return [Sighting(repository, "git_directory", "a git repository with its history")]


def _sighted_link(
    path: str, target: str, entries: t.Mapping[str, Entry], sightings: t.Sequence[Sighting]
) -> t.List[Sighting]:
    """What a further name of a file makes of it: what is in the file was looked at by its first."""
    by_name = secret_files.named(path)
    if not by_name or (target in entries and not entries[target].size):
        return []
    if any(sighting.path == target and sighting.rule == by_name[0] for sighting in sightings):
        return []
    return [Sighting(path, *by_name)]
