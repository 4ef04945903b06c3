# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Manifests as a registry serves them, of one image or of an index, in OCI's and in Docker's words."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.digest import BlobDigest, ConfigDigest, ManifestDigest

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
MEDIA_TYPES = (OCI_INDEX, DOCKER_INDEX, OCI_MANIFEST, DOCKER_MANIFEST)
INDEX_MEDIA_TYPES = (OCI_INDEX, DOCKER_INDEX)


@dataclasses.dataclass(frozen=True)
class ManifestHead:
    """What a registry says of a manifest without its bytes; size is in bytes, None where the registry does not say it."""

    digest: ManifestDigest
    media_type: str
    size: t.Optional[int] = None

    @property
    def is_index(self) -> bool:
        return self.media_type in INDEX_MEDIA_TYPES


@dataclasses.dataclass(frozen=True)
class Child:
    """A manifest that an index lists; the platform is as in 'linux/amd64' or 'linux/arm/v7', None where none is said."""

    digest: ManifestDigest
    media_type: str
    platform: t.Optional[str]


@dataclasses.dataclass(frozen=True)
class Manifest:
    """A manifest: its digest, its bytes, and what they say."""

    digest: ManifestDigest
    media_type: str
    body: bytes = dataclasses.field(repr=False)
    document: t.Dict[str, t.Any] = dataclasses.field(repr=False, compare=False)

    def check(self) -> None:
        """Raise what the properties below would raise, should the document be of another shape."""
        _read = self.config_digest, self.layers, self.children

    @property
    def is_index(self) -> bool:
        return self.media_type in INDEX_MEDIA_TYPES

    @property
    def config_digest(self) -> t.Optional[ConfigDigest]:
        """The digest of the image's configuration; None for an index.

        :raises InvalidReference: it is written there, and is no digest.
        """
        config = self.document.get("config")
        return ConfigDigest.parse(config["digest"]) if isinstance(config, dict) and "digest" in config else None

    @property
    def layers(self) -> t.Tuple[BlobDigest, ...]:
        """The digests of the layers as they are stored, the lowest first; none for an index."""
        return tuple(BlobDigest.parse(layer["digest"]) for layer in self.document.get("layers") or ())

    @property
    def children(self) -> t.Tuple[Child, ...]:
        """What an index lists, but for attestations, whose platform is unknown/unknown; none for an image."""
        found = []
        for entry in self.document.get("manifests") or ():
            platform = _platform(entry.get("platform"))
            if platform != "unknown/unknown":
                found.append(Child(ManifestDigest.parse(entry["digest"]), entry.get("mediaType", ""), platform))
        return tuple(found)


def _platform(value: t.Any) -> t.Optional[str]:
    if not isinstance(value, dict) or "architecture" not in value:
        return None
    return "/".join(part for part in (value.get("os"), value["architecture"], value.get("variant")) if part)
