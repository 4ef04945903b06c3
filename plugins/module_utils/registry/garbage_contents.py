# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What a registry's storage holds, as far as a collection of garbage has to know. Digests are texts as 'sha256:<digits>'."""

from __future__ import annotations

import dataclasses
import json
import typing as t


@dataclasses.dataclass(frozen=True)
class Link:
    """The file by which a repository has a manifest or a layer.

    :param changed_at: when it was last written, in seconds since the epoch; the registry writes it anew at each push.
    :param is_whole: whether its length is that of a digest; after a loss of power it may be empty, and serves nothing.
    :param signatures: the blobs of an old manifest's signatures, which are linked below it.
    """

    changed_at: float
    is_whole: bool = True
    signatures: t.Tuple[str, ...] = ()


@dataclasses.dataclass
class Repository:
    """What a repository has: C(tags) lead to digests, C(history) has those that a tag led to at any time."""

    tags: t.Dict[str, str] = dataclasses.field(default_factory=dict)
    history: t.Dict[str, t.Set[str]] = dataclasses.field(default_factory=dict)
    manifests: t.Dict[str, Link] = dataclasses.field(default_factory=dict)
    layers: t.Dict[str, Link] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Blob:
    """The bytes of a layer, a configuration or a manifest; C(size) in bytes, C(changed_at) in seconds since the epoch."""

    size: int
    changed_at: float


@dataclasses.dataclass(frozen=True)
class Target:
    """What a manifest names; C(size) is in bytes and -1 where it does not say, C(elsewhere) for what a registry may lack."""

    digest: str
    size: int = -1
    elsewhere: bool = False


@dataclasses.dataclass(frozen=True)
class Document:
    """What a manifest says: other manifests in C(children), configuration and layers in C(blobs).

    :param fault: why that cannot be known; then what it needs cannot be either.
    """

    children: t.Tuple[Target, ...] = ()
    blobs: t.Tuple[Target, ...] = ()
    fault: str = ""


@dataclasses.dataclass
class Contents:
    """All repositories by name, all blobs and the manifests among them by digest."""

    repositories: t.Dict[str, Repository] = dataclasses.field(default_factory=dict)
    blobs: t.Dict[str, Blob] = dataclasses.field(default_factory=dict)
    documents: t.Dict[str, Document] = dataclasses.field(default_factory=dict)


def read_document(body: bytes) -> Document:
    """Read a manifest in the words of OCI or Docker, of one image, an index, an artifact, or of the first schema."""
    try:
        said = json.loads(body.decode())
        if not isinstance(said, dict):
            return Document(fault="it is no JSON object")
        if not {"manifests", "config", "layers", "blobs", "fsLayers"} & said.keys():
            return Document(fault="it is no manifest that is known here")
        config = [said["config"]] if said.get("config") else []
        listed = [*config, *(said.get("layers") or ()), *(said.get("blobs") or ())]
        first = [Target(_digest(layer["blobSum"])) for layer in said.get("fsLayers") or ()]
        children = tuple(_target(entry) for entry in said.get("manifests") or ())
        return Document(children, (*map(_target, listed), *first))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        return Document(fault="it cannot be read (%s: %s)" % (type(error).__name__, error))


def _target(said: t.Mapping[str, t.Any]) -> Target:
    # with addresses, a layer need not have been pushed (OCI image specification, non-distributable layers)
    return Target(_digest(said["digest"]), int(said.get("size", -1)), bool(said.get("urls")))


def _digest(text: str) -> str:
    algorithm, colon, digits = text.partition(":")
    if not (algorithm and colon and digits) or "/" in text:
        raise ValueError("%r is no digest" % text)
    return text
