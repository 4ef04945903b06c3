# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Storages as a registry makes them, written file by file, and what is to be pulled from them, found out independently."""

from __future__ import annotations

import hashlib
import json
import os
import time
import typing as t
from pathlib import Path

OLD = time.time() - 1_000_000
IMAGE = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def digest_of(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()


class Written:
    """A storage in a directory; everything in it is old, unless it is said otherwise."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.base = root / "docker/registry/v2"

    def write(self, path: Path, body: bytes, changed_at: float = OLD) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        os.utime(path, (changed_at, changed_at))

    def blob_file(self, digest: str) -> Path:
        digits = digest.partition(":")[2]
        return self.base / "blobs/sha256" / digits[:2] / digits / "data"

    def repository(self, name: str) -> Path:
        return self.base / "repositories" / name

    def link_file(self, name: str, kind: str, digest: str) -> Path:
        return self.repository(name) / kind / digest.replace(":", "/") / "link"

    def blob(self, body: bytes, changed_at: float = OLD) -> str:
        digest = digest_of(body)
        self.write(self.blob_file(digest), body, changed_at)
        return digest

    def layer(self, name: str, body: bytes, changed_at: float = OLD) -> str:
        digest = self.blob(body, changed_at)
        self.write(self.link_file(name, "_layers", digest), digest.encode(), changed_at)
        return digest

    def manifest(self, name: str, document: t.Mapping[str, t.Any], changed_at: float = OLD) -> str:
        digest = self.blob(json.dumps(document).encode(), changed_at)
        self.write(self.link_file(name, "_manifests/revisions", digest), digest.encode(), changed_at)
        return digest

    def image(self, name: str, *layers: bytes, changed_at: float = OLD) -> str:
        config = b'{"of": "%s"}' % b" ".join(layers)
        listed = [{"digest": self.layer(name, body, changed_at), "size": len(body)} for body in layers]
        described = {"digest": self.layer(name, config, changed_at), "size": len(config)}
        document = {"schemaVersion": 2, "mediaType": IMAGE, "config": described, "layers": listed}
        return self.manifest(name, document, changed_at)

    def index(self, name: str, *children: str, changed_at: float = OLD) -> str:
        entries = [
            {"mediaType": IMAGE, "digest": child, "size": self.blob_file(child).stat().st_size} for child in children
        ]
        document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
        return self.manifest(name, document, changed_at)

    def tag(self, name: str, tag: str, digest: str) -> None:
        place = self.repository(name) / "_manifests/tags" / tag
        self.write(place / "index" / digest.replace(":", "/") / "link", digest.encode())
        self.write(place / "current/link", digest.encode())

    def files(self) -> dict[str, float]:
        """Every file, with the moment of its last change."""
        found = [path for path in self.root.rglob("*") if path.is_file()]
        return {str(path.relative_to(self.root)): path.stat().st_mtime for path in found}

    def contents(self) -> dict[str, bytes]:
        return {name: (self.root / name).read_bytes() for name in self.files()}

    def document(self, digest: str) -> dict[str, t.Any]:
        body = self.blob_file(digest).read_bytes()
        assert digest_of(body) == digest
        found: dict[str, t.Any] = json.loads(body)
        return found

    def pulled(self, name: str, digest: str) -> set[str]:
        """The digests that a client gets for a manifest of any kind; all of it has to be there."""
        assert self.link_file(name, "_manifests/revisions", digest).read_text() == digest
        document = self.document(digest)
        found = {digest}
        for child in document.get("manifests", ()):
            found |= self.pulled(name, child["digest"])
        for blob in [*document.get("layers", ()), *([document["config"]] if "config" in document else [])]:
            assert self.link_file(name, "_layers", blob["digest"]).read_text() == blob["digest"]
            assert self.blob_file(blob["digest"]).stat().st_size == blob["size"]
            found.add(blob["digest"])
        return found

    def tagged(self) -> dict[str, set[str]]:
        """What clients get for all tags of each repository."""
        found: dict[str, set[str]] = {}
        for link in self.base.glob("repositories/**/_manifests/tags/*/current/link"):
            name = str(link.parents[4].relative_to(self.base / "repositories"))
            found.setdefault(name, set()).update(self.pulled(name, link.read_text()))
        return found

    def blobs(self) -> set[str]:
        return {"sha256:" + path.parent.name for path in self.base.glob("blobs/sha256/*/*/data")}

    def links(self, name: str) -> set[str]:
        """Digests of a repository's manifests and layers."""
        kinds = ("_manifests/revisions", "_layers")
        return {
            "sha256:" + path.parent.name
            for kind in kinds
            for path in self.repository(name).glob(f"{kind}/sha256/*/link")
        }
