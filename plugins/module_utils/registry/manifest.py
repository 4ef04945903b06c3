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
# The distribution specification recommends to clients and registries 4 MiB as the largest manifest.
MANIFEST_LIMIT = 4 * 1024 * 1024
INDEX_MEDIA_TYPES = (OCI_INDEX, DOCKER_INDEX)
# No manifest has it: for asking what a registry does with one without touching any.
NO_MANIFEST = ManifestDigest("sha256", "0" * 64)
# Others are of charts, signatures and the like, whose configuration says nothing of an image.
CONFIG_TYPES = (
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
)


@dataclasses.dataclass(frozen=True)
class ManifestHead:
    """What a registry says of a manifest without its bytes; size is in bytes, None where the registry does not say it."""

    digest: ManifestDigest
    media_type: str
    size: t.Optional[int] = None

    @property
    def is_index(self) -> bool:
        return self.media_type in INDEX_MEDIA_TYPES


NO_PLATFORM = "unknown/unknown"  # what BuildKit writes for an attestation


@dataclasses.dataclass(frozen=True)
class Child:
    """A manifest that an index lists; the platform is as in 'linux/amd64' or 'linux/arm/v7', None where none is said.

    :param size: of the manifest itself, in bytes.
    """

    digest: ManifestDigest
    media_type: str
    platform: t.Optional[str]
    artifact_type: t.Optional[str] = None
    size: t.Optional[int] = None

    @property
    def is_attestation(self) -> bool:
        return self.platform == NO_PLATFORM


@dataclasses.dataclass(frozen=True)
class Manifest:
    """A manifest: its digest, its bytes, and what they say."""

    digest: ManifestDigest
    media_type: str
    body: bytes = dataclasses.field(repr=False)
    document: t.Dict[str, t.Any] = dataclasses.field(repr=False, compare=False)

    def check(self) -> None:
        """Raise what the properties below would raise, should the document be of another shape."""
        _read = self.config_digest, self.layers, self.listed, self.subject, self.blobs

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
    def has_image_config(self) -> bool:
        """Whether its configuration is that of an image."""
        config = self.document.get("config")
        return isinstance(config, dict) and config.get("mediaType") in CONFIG_TYPES

    @property
    def blobs(self) -> t.Dict[str, t.Optional[int]]:
        """The sizes in bytes of its configuration and layers, by digest; None where one is not said."""
        config = self.document.get("config")
        entries = [*([config] if isinstance(config, dict) else ()), *(self.document.get("layers") or ())]
        return {str(entry["digest"]): _size(entry) for entry in entries if "digest" in entry}

    @property
    def artifact_type(self) -> t.Optional[str]:
        """What it says it is, by the image specification: the type itself, or that of its configuration; None for an image."""
        said = self.document.get("artifactType")
        config = self.document.get("config")
        if not said and isinstance(config, dict) and not self.has_image_config:
            said = config.get("mediaType")
        return said if isinstance(said, str) else None

    @property
    def subject(self) -> t.Optional[ManifestDigest]:
        """The manifest that it is about, as a signature is about an image."""
        subject = self.document.get("subject")
        return ManifestDigest.parse(subject["digest"]) if isinstance(subject, dict) and "digest" in subject else None

    @property
    def listed(self) -> t.Tuple[Child, ...]:
        """All that an index lists, attestations among it; none for an image."""
        return tuple(
            Child(
                ManifestDigest.parse(entry["digest"]),
                entry.get("mediaType", ""),
                platform_of(entry.get("platform")),
                entry.get("artifactType"),
                _size(entry),
            )
            for entry in self.document.get("manifests") or ()
        )

    @property
    def children(self) -> t.Tuple[Child, ...]:
        """What an index lists, but for attestations, whose platform is unknown/unknown; none for an image."""
        return tuple(child for child in self.listed if not child.is_attestation)


def platform_of(value: t.Any) -> t.Optional[str]:
    """As in 'linux/arm/v7', of what has C(os), C(architecture) and C(variant); None where no architecture is said."""
    if not isinstance(value, dict) or not value.get("architecture"):
        return None
    return "/".join(str(part) for part in (value.get("os"), value["architecture"], value.get("variant")) if part)


def _size(descriptor: t.Mapping[str, t.Any]) -> t.Optional[int]:
    size = descriptor.get("size")
    return size if isinstance(size, int) else None
