# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Single images as OCI layouts in a directory, for a program that reads such and no archive of several images."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import posixpath
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.audit.tar_stream import TarStream
from ansible_collections.longshore.delivery.plugins.module_utils.audit.uncompressed import blocks
from ansible_collections.longshore.delivery.plugins.module_utils.image.contents import ImageContents
from ansible_collections.longshore.delivery.plugins.module_utils.image.layout_writer import (
    OCI_CONFIG,
    OCI_LAYER,
    list_image,
    mark,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.manifest import OCI_MANIFEST
from ansible_collections.longshore.delivery.plugins.module_utils.verified_stream import Readable

_COMPRESSIONS = ((b"\x1f\x8b", "+gzip"), (b"\x28\xb5\x2f\xfd", "+zstd"))
_FIRST = 4  # bytes that tell a compression

Descriptor = t.Dict[str, t.Any]


@dataclasses.dataclass
class Blobs:
    """Files by their digests, as an OCI layout has them.

    :param directory: where they are.
    :param places: of an archive's files, what stands for each.
    """

    directory: str
    places: t.Dict[str, Descriptor] = dataclasses.field(default_factory=dict)

    @classmethod
    def unpacked(cls, stream: Readable, directory: str) -> Blobs:
        """Those of an archive, each written into the directory.

        :raises UnreadableLayer: the archive is damaged.
        """
        blobs = cls(directory)
        links: t.Dict[str, str] = {}
        os.makedirs(os.path.join(directory, "sha256"))
        for member, pieces in TarStream(blocks(stream)).members():
            name = posixpath.normpath(member.name)
            if member.is_symbolic_link or member.is_hard_link:
                base = posixpath.dirname(name) if member.is_symbolic_link else ""
                links[name] = posixpath.normpath(posixpath.join(base, member.target))
            elif member.is_file:
                blobs.places[name] = blobs.add(pieces)
        blobs.places.update({name: blobs.places[target] for name, target in links.items() if target in blobs.places})
        return blobs

    def add(self, pieces: t.Iterable[bytes]) -> Descriptor:
        """Write a file."""
        digest, size, first = hashlib.sha256(), 0, b""
        being_written = os.path.join(self.directory, "new")
        with open(being_written, "wb") as file:
            for piece in pieces:
                first = first or piece[:_FIRST]
                digest.update(piece)
                size += file.write(piece)
        os.replace(being_written, self._path("sha256:" + digest.hexdigest()))
        suffix = next((name for mark, name in _COMPRESSIONS if first.startswith(mark)), "")
        return {"mediaType": OCI_LAYER + suffix, "digest": "sha256:" + digest.hexdigest(), "size": size}

    def as_layout(self, image: ImageContents, directory: str) -> None:
        """Write a layout with one image, whose blobs stay where they are.

        :raises LookupError: they do not have it.
        """
        manifest = self._stored(image) or self._made(image)
        os.mkdir(directory)
        os.symlink(self.directory, os.path.join(directory, "blobs"))
        mark(directory)
        list_image(directory, manifest)

    def _stored(self, image: ImageContents) -> t.Optional[Descriptor]:
        digest = str(image.digests.manifest)
        if image.digests.manifest is None or not os.path.exists(self._path(digest)):
            return None
        media_type = self._document(digest).get("mediaType") or OCI_MANIFEST
        return {"mediaType": media_type, "digest": digest, "size": os.path.getsize(self._path(digest))}

    def _made(self, image: ImageContents) -> Descriptor:
        """A manifest for an image of 'docker save', which has none."""
        entries = self._document(self.places["manifest.json"]["digest"])
        config_digest = str(image.digests.config)
        for entry in entries:
            config = self.places[posixpath.normpath(entry["Config"])]
            if config["digest"] == config_digest:
                layers = [self.places[posixpath.normpath(name)] for name in entry.get("Layers") or ()]
                manifest = {
                    "schemaVersion": 2,
                    "mediaType": OCI_MANIFEST,
                    "config": {**config, "mediaType": OCI_CONFIG},
                    "layers": layers,
                }
                return {**self.add([json.dumps(manifest).encode()]), "mediaType": OCI_MANIFEST}
        raise LookupError(config_digest)

    def _document(self, digest: str) -> t.Any:
        with open(self._path(digest), encoding="utf-8") as file:
            return json.load(file)

    def _path(self, digest: str) -> str:
        return os.path.join(self.directory, *digest.split(":", 1))
