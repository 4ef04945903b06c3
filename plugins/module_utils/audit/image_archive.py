# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The images of one archive, read once from its beginning to its end: what C(docker save) writes, or an OCI layout as a tar.

Layers may come before what says whose they are, and in any order; so each is read when it comes, and kept by its name.
"""

from __future__ import annotations

import contextlib
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
from ansible_collections.longshore.delivery.plugins.module_utils.audit.layer_names import image_name
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
    images: str = "the archive",
    called: t.Callable[[str], t.Optional[str]] = lambda name: None,
) -> t.List[Audited]:
    """The images of an archive, each platform's for itself.

    :param progress: told of each layer when it was read.
    :param where: what messages begin with.
    :param images: what is in it, for the progress.
    :param called: names a layer for people, by its file in the archive; None where that does not tell which it is.
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
                layer = _take(parts, name, member.size, _Pieces(pieces), scan)
                if layer is not None:
                    number = "number %d of the layers of %s" % (len(parts.layers), images)
                    progress(read_line(called(name) or number, layer))
    except UnreadableLayer as error:
        raise UnreadableArchive("%s cannot be read: %s" % (where, error)) from None
    return _images(parts, where)


def _take(parts: _Parts, name: str, size: int, content: _Pieces, scan: FileScan) -> t.Optional[LayerContents]:
    """Keep what is in a file; what of that is a layer's."""
    head = content.peek(tarfile.BLOCKSIZE)
    # a layer's archive begins with the name of its first file, which may be as a document's beginning
    if head[:1] in (b"{", b"[") and head[257:262] != b"ustar":
        if size <= _DOCUMENT_LIMIT:
            parts.documents[name] = content.read_all()
        return None
    try:
        parts.layers[name] = read_layer(content, scan)
    except UnreadableLayer as error:  # of no concern if no image has it, as Docker's file VERSION
        parts.unreadable[name] = error
        return None
    return parts.layers[name]


def _images(parts: _Parts, where: str) -> t.List[Audited]:
    if "manifest.json" in parts.documents:  # Docker writes both, and the names are in this one
        stored = _stored(parts, where)
        found = [_by_docker(parts, entry, stored, where) for entry in _parsed(parts, "manifest.json", list, where)]
    elif "index.json" in parts.documents:
        found = [
            Audited(image, _layers(parts, image, _blobs_of(image), where))
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


def _stored(parts: _Parts, where: str) -> t.Dict[ConfigDigest, Digests]:
    """The digests of the images by their configurations, of an archive that is a layout too, as from Docker 25 on."""
    images: t.List[ImageContents] = []
    if "index.json" in parts.documents:
        with contextlib.suppress(DeliveryError):  # what is asked for is in manifest.json
            images = Layout(_Documents(parts.documents), where).images(Names())
    return {image.digests.config: image.digests for image in images if image.digests.config is not None}


def _by_docker(parts: _Parts, entry: t.Any, stored: t.Mapping[ConfigDigest, Digests], where: str) -> Audited:
    try:
        config, layers, names = entry["Config"], entry.get("Layers") or (), entry.get("RepoTags") or ()
        config, layers = posixpath.normpath(str(config)), [posixpath.normpath(str(layer)) for layer in layers]
        references = tuple(Reference.parse(str(name)) for name in names)
        document = _parsed(parts, config, dict, where)
        digest = ConfigDigest.of(parts.documents[config])
        image = ImageContents(
            str(digest),
            references,
            digests=stored.get(digest, Digests(digest)),
            config=document,
            layers=layers_of(document),
        )
    except (LookupError, TypeError, AttributeError, InvalidReference) as error:
        raise UnreadableArchive(
            "%s has an entry in manifest.json that is none (%s). Have it written again." % (where, error)
        ) from None
    return Audited(image, _layers(parts, image, layers, where))


def _layers(parts: _Parts, image: ImageContents, names: t.Sequence[str], where: str) -> t.Tuple[LayerContents, ...]:
    contents = []
    for index, written in enumerate(names):
        name = parts.links.get(written, written)
        called = "layer %d of %s (%s)" % (index, image_name(image), name)
        if name in parts.unreadable:
            raise UnreadableArchive("%s: %s cannot be read: %s" % (where, called, parts.unreadable[name]))
        if name not in parts.layers:
            raise UnreadableArchive("%s lacks %s. Have it written again." % (where, called))
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
