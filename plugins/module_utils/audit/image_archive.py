# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The images of one archive, read once from its beginning to its end: what C(docker save) writes, or an OCI layout as a tar.

Layers may come before what says whose they are, and in any order; so each is read when it comes, and kept by its name.
"""

from __future__ import annotations

import dataclasses
import io
import json
import posixpath
import tarfile
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.audit.layer import (
    FileScan,
    LayerContents,
    read_layer,
    read_line,
)
from ansible_collections.longshore.delivery.plugins.module_utils.audit.report import Audited
from ansible_collections.longshore.delivery.plugins.module_utils.audit.tar_stream import TarStream
from ansible_collections.longshore.delivery.plugins.module_utils.audit.uncompressed import UnreadableLayer, blocks
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.digest import ConfigDigest
from ansible_collections.longshore.delivery.plugins.module_utils.image.contents import Digests, ImageContents, layers_of
from ansible_collections.longshore.delivery.plugins.module_utils.image.names import Names
from ansible_collections.longshore.delivery.plugins.module_utils.image.oci_layout import Layout, blob_path
from ansible_collections.longshore.delivery.plugins.module_utils.reference import InvalidReference, Reference
from ansible_collections.longshore.delivery.plugins.module_utils.verified_stream import Readable

_DOCUMENT_LIMIT = 16 * 1024 * 1024  # bytes: manifests and configurations are held in memory


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
    stream: Readable,
    scan: FileScan,
    progress: t.Callable[[str], None] = lambda line: None,
    where: str = "The archive",
) -> t.List[Audited]:
    """The images of an archive, each platform's for itself.

    :param progress: told of each layer when it was read.
    :param where: what messages begin with.
    :raises UnreadableArchive: it is damaged, or no image is in it.
    :raises LayoutError: it is an OCI layout, and its documents are damaged.
    """
    parts = _Parts()
    try:
        for member, pieces in TarStream(blocks(stream)).members():
            name = posixpath.normpath(member.name)
            if member.is_symbolic_link or member.is_hard_link:
                # in archives of Docker before 25 a layer that two images share is there once
                base = posixpath.dirname(name) if member.is_symbolic_link else ""
                parts.links[name] = posixpath.normpath(posixpath.join(base, member.target))
            elif member.is_file:
                _take(parts, name, member.size, _Pieces(pieces), scan, progress)
    except UnreadableLayer as error:
        raise UnreadableArchive("%s cannot be read: %s" % (where, error)) from None
    return _images(parts, where)


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
        progress(read_line(name, parts.layers[name]))
    except UnreadableLayer as error:  # of no concern if no image has it, as Docker's file VERSION
        parts.unreadable[name] = error


def _images(parts: _Parts, where: str) -> t.List[Audited]:
    if "manifest.json" in parts.documents:  # Docker writes both, and the names are in this one
        found = [_by_docker(parts, entry, where) for entry in _parsed(parts, "manifest.json", list, where)]
    elif "index.json" in parts.documents:
        found = [
            Audited(image, _layers(parts, _blobs_of(image), where))
            for image in Layout(_Documents(parts.documents), where).images(Names())
            if image.config
        ]
    else:
        raise UnreadableArchive(
            "%s has no manifest.json and no index.json. Give an archive that 'docker save' or an OCI output wrote."
            % where
        )
    if not found:
        raise UnreadableArchive("%s lists no image. Have it written again." % where)
    return found


def _blobs_of(image: ImageContents) -> t.List[str]:
    return [blob_path(layer.digest) for layer in image.layers if layer.digest is not None]


def _by_docker(parts: _Parts, entry: t.Any, where: str) -> Audited:
    try:
        config, layers, names = entry["Config"], entry.get("Layers") or (), entry.get("RepoTags") or ()
        config, layers = posixpath.normpath(str(config)), [posixpath.normpath(str(layer)) for layer in layers]
        references = tuple(Reference.parse(str(name)) for name in names)
        document = _parsed(parts, config, dict, where)
        digest = ConfigDigest.of(parts.documents[config])
        image = ImageContents(
            str(digest), references, digests=Digests(digest), config=document, layers=layers_of(document)
        )
    except (LookupError, TypeError, AttributeError, InvalidReference) as error:
        raise UnreadableArchive(
            "%s has an entry in manifest.json that is none (%s). Have it written again." % (where, error)
        ) from None
    return Audited(image, _layers(parts, layers, where))


def _layers(parts: _Parts, names: t.Sequence[str], where: str) -> t.Tuple[LayerContents, ...]:
    contents = []
    for index, written in enumerate(names):
        name = parts.links.get(written, written)
        if name in parts.unreadable:
            raise UnreadableArchive(
                "%s: layer %d (%s) cannot be read: %s" % (where, index, name, parts.unreadable[name])
            )
        if name not in parts.layers:
            raise UnreadableArchive("%s lacks layer %d (%s). Have it written again." % (where, index, name))
        contents.append(parts.layers[name])
    return tuple(contents)


def _parsed(parts: _Parts, name: str, kind: type, where: str) -> t.Any:
    if name not in parts.documents:
        raise UnreadableArchive("%s lacks %s. Have it written again." % (where, name))
    try:
        document = json.loads(parts.documents[name].decode("utf-8"))
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, kind):
        raise UnreadableArchive("%s has a damaged %s. Have it written again." % (where, name))
    return document


class _Documents:
    """The documents that an archive held, as the files of a layout."""

    def __init__(self, documents: t.Mapping[str, bytes]) -> None:
        self._documents = documents

    def open(self, name: str) -> t.Optional[t.IO[bytes]]:
        document = self._documents.get(name)
        return None if document is None else io.BytesIO(document)


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
