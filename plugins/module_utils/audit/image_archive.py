# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The images of one archive, read once from its beginning to its end: what C(docker save) writes, or an OCI layout as a tar.

Layers may come before what says whose they are, and in any order; so each is read when it comes, and kept by its name.
"""

from __future__ import annotations

import dataclasses
import json
import posixpath
import tarfile
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.audit.layer import FileScan, LayerContents, read_layer
from ansible_collections.longshore.delivery.plugins.module_utils.audit.report import Audited
from ansible_collections.longshore.delivery.plugins.module_utils.audit.tar_stream import TarStream
from ansible_collections.longshore.delivery.plugins.module_utils.audit.uncompressed import (
    Readable,
    UnreadableLayer,
    blocks,
)
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError

_DOCUMENT_LIMIT = 16 * 1024 * 1024  # bytes: manifests and configurations are held in memory
_DEEPEST = 8  # lists within lists, of which real ones have two
_NAME = "io.containerd.image.name"  # what BuildKit and containerd write beside the specification's tag
_ATTESTATION = "vnd.docker.reference.type"

Document = t.Mapping[str, t.Any]


class UnreadableArchive(DeliveryError):
    """An archive without an image, or one with a part that is missing or damaged."""


@dataclasses.dataclass
class _Parts:
    """What an archive holds, by name."""

    documents: t.Dict[str, bytes] = dataclasses.field(default_factory=dict)
    layers: t.Dict[str, LayerContents] = dataclasses.field(default_factory=dict)
    unreadable: t.Dict[str, UnreadableLayer] = dataclasses.field(default_factory=dict)
    links: t.Dict[str, str] = dataclasses.field(default_factory=dict)


def read_archive(
    stream: Readable, scan: FileScan, progress: t.Callable[[str], None] = lambda line: None
) -> t.List[Audited]:
    """The images of an archive, each platform's for itself.

    :param progress: told of each layer when it was read.
    :raises UnreadableArchive: it is damaged, or no image is in it.
    """
    parts = _Parts()
    try:
        for member, pieces in TarStream(blocks(stream)).members():
            name = posixpath.normpath(member.name)
            if member.issym() or member.islnk():
                # in archives of Docker before 25 a layer that two images share is there once
                base = posixpath.dirname(name) if member.issym() else ""
                parts.links[name] = posixpath.normpath(posixpath.join(base, member.linkname))
            elif member.isreg():
                _take(parts, name, member.size, _Pieces(pieces), scan, progress)
    except UnreadableLayer as error:
        raise UnreadableArchive("The archive cannot be read: %s" % error) from None
    return _images(parts)


def _take(
    parts: _Parts, name: str, size: int, content: _Pieces, scan: FileScan, progress: t.Callable[[str], None]
) -> None:
    head = content.peek(tarfile.BLOCKSIZE)
    # a layer's archive begins with the name of its first file, which may be as a document's beginning
    if head[:1] in (b"{", b"[") and head[257:262] != b"ustar":
        if size <= _DOCUMENT_LIMIT:
            parts.documents[name] = content.read_all()
        return
    try:
        parts.layers[name] = read_layer(content, scan)
        progress("read %s (%d MB)" % (name, parts.layers[name].archive_bytes // 1_000_000))
    except UnreadableLayer as error:  # of no concern if no image has it, as Docker's file VERSION
        parts.unreadable[name] = error


def _images(parts: _Parts) -> t.List[Audited]:
    if "manifest.json" in parts.documents:  # Docker writes both, and the names are in this one
        entries = _parsed(parts, "manifest.json", list)
        found = [_by_docker(parts, entry) for entry in entries]
    elif "index.json" in parts.documents:
        index = _parsed(parts, "index.json", dict)
        found = list(_below(parts, index, (), _DEEPEST))
    else:
        raise UnreadableArchive(
            "The archive has no manifest.json and no index.json. Give one that 'docker save' or an OCI output wrote."
        )
    if not found:
        raise UnreadableArchive("The archive lists no image. Have it written again.")
    return found


def _by_docker(parts: _Parts, entry: t.Any) -> Audited:
    try:
        config, layers, names = entry["Config"], entry.get("Layers") or (), entry.get("RepoTags") or ()
        names = tuple(str(name) for name in names)
        return _audited(parts, str(config), [str(layer) for layer in layers], names)
    except (LookupError, TypeError, AttributeError):
        raise UnreadableArchive(
            "The archive's manifest.json has an entry that is none. Have it written again."
        ) from None


def _below(parts: _Parts, index: Document, names: t.Tuple[str, ...], depth: int) -> t.Iterator[Audited]:
    if not depth:
        raise UnreadableArchive("The archive has lists within lists without end. Have it written again.")
    try:
        for entry in index["manifests"]:
            annotations = entry.get("annotations") or {}
            path = _blob(entry["digest"])
            if _ATTESTATION in annotations or path not in parts.documents:
                continue  # a layout of some platforms has the list of all
            named = (str(annotations[_NAME]),) if _NAME in annotations else names
            manifest = _parsed(parts, path, dict)
            if "manifests" in manifest:
                yield from _below(parts, manifest, named, depth - 1)
            else:
                layers = [_blob(layer["digest"]) for layer in manifest["layers"]]
                yield _audited(parts, _blob(manifest["config"]["digest"]), layers, named)
    except (LookupError, TypeError, AttributeError):
        raise UnreadableArchive("The archive has a list of images that is none. Have it written again.") from None


def _blob(digest: t.Any) -> str:
    return "blobs/%s" % str(digest).replace(":", "/", 1)


def _audited(parts: _Parts, config: str, layers: t.Sequence[str], names: t.Tuple[str, ...]) -> Audited:
    contents = []
    for index, name in enumerate(layers):
        name = posixpath.normpath(name)
        name = parts.links.get(name, name)
        if name in parts.unreadable:
            raise UnreadableArchive("Layer %d (%s) cannot be read: %s" % (index, name, parts.unreadable[name]))
        if name not in parts.layers:
            raise UnreadableArchive("The archive lacks layer %d (%s). Have it written again." % (index, name))
        contents.append(parts.layers[name])
    return Audited(_parsed(parts, posixpath.normpath(config), dict), tuple(contents), names)


def _parsed(parts: _Parts, name: str, kind: type) -> t.Any:
    try:
        document = json.loads(parts.documents[name].decode("utf-8"))
    except KeyError:
        raise UnreadableArchive("The archive lacks %s. Have it written again." % name) from None
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, kind):
        raise UnreadableArchive("The archive's %s is damaged. Have it written again." % name)
    return document


class _Pieces:
    """A member's pieces as a file to read."""

    def __init__(self, pieces: t.Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = b""

    def peek(self, size: int) -> bytes:
        while len(self._left) < size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._left += piece
        return self._left[:size]

    def read(self, size: int = -1) -> bytes:
        """Some of what is left, as much as asked for at most; nothing at the end alone."""
        self.peek(1)
        taken = self._left if size < 0 else self._left[:size]
        self._left = self._left[len(taken) :]
        return taken

    def read_all(self) -> bytes:
        return b"".join(iter(self.read, b""))
