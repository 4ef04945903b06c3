# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""An image of a few hundred bytes that nobody has seen before, so that neither an image on the node nor another
registry can fake a pull.
"""

from __future__ import annotations

import dataclasses
import gzip
import io
import json
import platform
import secrets
import tarfile
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.digest import DiffId, ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.canaries import REPOSITORY
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient, RegistryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.manifest import OCI_MANIFEST
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings

_CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
_LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}
# A registry that takes no push can still show that it is trusted: by answering that it has not what is asked for.
_TAKES_NO_PUSH = ("unauthorized", "forbidden")


@dataclasses.dataclass(frozen=True)
class Canary:
    """The image as it is in the registry.

    :param digest: of its manifest; None if the registry took no push, so that the engine is to find out that there is
        none.
    """

    reference: Reference
    digest: t.Optional[ManifestDigest]


@dataclasses.dataclass(frozen=True)
class Image:
    """The bytes of an image of one layer."""

    config: bytes
    layer: bytes

    def manifest(self) -> bytes:
        def descriptor(media_type: str, data: bytes) -> t.Dict[str, t.Any]:
            return {"mediaType": media_type, "digest": str(ManifestDigest.of(data)), "size": len(data)}

        document = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": descriptor(_CONFIG_TYPE, self.config),
            "layers": [descriptor(_LAYER_TYPE, self.layer)],
        }
        return json.dumps(document, separators=(",", ":")).encode()


def image(token: str, machine: str) -> Image:
    """An image with this token as its only file, for this machine (as C(uname -m) names it)."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        member = tarfile.TarInfo("longshore-canary")
        member.size = len(token)
        archive.addfile(member, io.BytesIO(token.encode()))
    tar = stream.getvalue()
    config = {
        "architecture": _ARCHITECTURES.get(machine, machine),
        "os": "linux",
        "config": {"Labels": {"delivery.longshore.canary": token}},
        "rootfs": {"type": "layers", "diff_ids": [str(DiffId.of(tar))]},
        "history": [{"created_by": "longshore.delivery"}],
    }
    return Image(json.dumps(config, separators=(",", ":")).encode(), gzip.compress(tar, mtime=0))


def release(registry: RegistrySettings, path: str = "") -> Canary:
    """Push a fresh canary to a registry.

    :param path: below which a mirror has the images of the registry by whose name this one is to be pulled.
    :raises RegistryError: it cannot be reached, or refuses this user altogether.
    """
    token = secrets.token_hex(12)
    repository = "/".join(part for part in (path, REPOSITORY) if part)
    reference = Reference(registry.endpoint, repository, "run-" + token)
    fresh = image(token, platform.machine())
    with RegistryClient(registry) as client:
        client.ping()
        try:
            for blob in (fresh.config, fresh.layer):
                client.push_blob(repository, blob)
            digest = client.put_manifest(repository, str(reference.tag), OCI_MANIFEST, fresh.manifest())
        except RegistryError as error:
            if error.kind not in _TAKES_NO_PUSH and error.status != 405:
                raise
            return Canary(reference, None)
    return Canary(reference, digest)


def absence(canary: Canary, registry: RegistrySettings) -> t.Optional[str]:
    """Why a registry does not serve a canary any more that it took; None if it does, or if it took none and answers still."""
    try:
        with RegistryClient(registry) as client:
            if canary.digest is None:
                client.ping()
            elif client.head_manifest(canary.reference.repository, str(canary.reference.tag)) is None:
                return "%s answers that it has no %s." % (registry.endpoint, canary.reference)
    except RegistryError as error:
        return str(error)
    return None


def recall(canary: Canary, registry: RegistrySettings) -> t.Optional[str]:
    """Delete a canary's manifest in the registry. Returns why it stays, None if it is gone.

    Its blobs are gone with the next garbage collection, the repository's name stays even then (docker-registry 2.8).
    """
    if canary.digest is None:
        return None
    try:
        with RegistryClient(registry) as client:
            client.delete_manifest(canary.reference.repository, canary.digest)
    except RegistryError as error:
        return str(error)
    return None


__all__ = ["REPOSITORY", "Canary", "Image", "absence", "image", "recall", "release"]
