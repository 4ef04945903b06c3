# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images made by code, and the places that hold them: OCI layouts and registries."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
import json
import tarfile
import typing as t
from pathlib import Path

from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.manifest import OCI_INDEX, OCI_MANIFEST

OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


@dataclasses.dataclass
class Made:
    """A manifest with the blobs below it; of an index, with its children's."""

    body: bytes
    media_type: str
    blobs: dict[str, bytes]
    manifests: dict[str, tuple[str, bytes]] = dataclasses.field(default_factory=dict)

    @property
    def digest(self) -> str:
        return digest_of(self.body)

    @property
    def document(self) -> t.Any:
        return json.loads(self.body)

    def descriptor(self, **more: t.Any) -> dict[str, t.Any]:
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.body), **more}


def image(
    *files: str,
    architecture: str = "amd64",
    created: str | None = "2026-11-01T12:00:00.5Z",
    labels: dict[str, str] | None = None,
    config_type: str = OCI_CONFIG,
    **settings: t.Any,
) -> Made:
    """An image with a layer for each file, and one empty instruction after each."""
    layers, diff_ids, history, blobs = [], [], [], {}
    for name in files:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            member = tarfile.TarInfo(name)
            member.size = len(name)
            tar.addfile(member, io.BytesIO(name.encode()))
        stored = gzip.compress(buffer.getvalue(), mtime=0)
        blobs[digest_of(stored)] = stored
        diff_ids.append(digest_of(buffer.getvalue()))
        layers.append({"mediaType": OCI_LAYER, "digest": digest_of(stored), "size": len(stored)})
        history += [{"created_by": f"COPY {name} /"}, {"created_by": f"ENV AFTER={name}", "empty_layer": True}]
    document: dict[str, t.Any] = {
        "os": "linux",
        "architecture": architecture,
        "config": {**settings, **({"Labels": labels} if labels else {})},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": history,
    }
    if created:
        document["created"] = created
    config = json.dumps(document).encode()
    blobs[digest_of(config)] = config
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": config_type, "digest": digest_of(config), "size": len(config)},
        "layers": layers,
    }
    return Made(json.dumps(manifest).encode(), OCI_MANIFEST, blobs)


def index(children: t.Mapping[str, Made]) -> Made:
    """A list of images by platform, as in 'linux/amd64'."""
    entries, blobs, manifests = [], {}, {}
    for platform, child in children.items():
        system, architecture = platform.split("/")
        entries.append(child.descriptor(platform={"os": system, "architecture": architecture}))
        blobs.update(child.blobs)
        manifests.update({child.digest: (child.media_type, child.body), **child.manifests})
    body = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode()
    return Made(body, OCI_INDEX, blobs, manifests)


def layout(directory: Path, *entries: dict[str, t.Any], made: t.Sequence[Made]) -> Path:
    """An OCI layout with these entries in its index.json."""
    blobs = directory / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    (directory / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (directory / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": list(entries)}))
    for one in made:
        kept = {**one.blobs, one.digest: one.body, **{name: body for name, (_type, body) in one.manifests.items()}}
        for digest, data in kept.items():
            (blobs / digest.partition(":")[2]).write_bytes(data)
    return directory


def archive(directory: Path, mode: t.Literal["w", "w:gz"] = "w") -> Path:
    """A layout's directory as a tar beside it."""
    path = directory.with_suffix(".tar")
    with tarfile.open(path, mode) as tar:
        tar.add(directory, arcname=".")
    return path


def push(client: RegistryClient, repository: str, made: Made, *tags: str) -> str:
    """Store an image by each of the tags, or by its digest alone; returns the digest."""
    for data in made.blobs.values():
        client.push_blob(repository, data)
    for digest, (media_type, body) in made.manifests.items():
        client.put_manifest(repository, ManifestDigest.parse(digest), media_type, body)
    for name in tags or (made.digest,):
        client.put_manifest(repository, name, made.media_type, made.body)
    return made.digest
