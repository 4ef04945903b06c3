# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What is inside an image that is stored as manifest and configuration: in a registry, or in an OCI layout. Pure."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.digest import IndexDigest
from ansible_collections.longshore.delivery.plugins.module_utils.image.contents import (
    Digests,
    ImageContents,
    layers_of,
)
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.manifest import Manifest


def contents_of(
    manifest: Manifest,
    config: t.Optional[bytes],
    index: t.Optional[IndexDigest] = None,
    references: t.Sequence[Reference] = (),
    pinned: t.Sequence[Reference] = (),
    names: t.Sequence[str] = (),
) -> ImageContents:
    """An image.

    :param manifest: the image's own, not an index.
    :param config: the bytes of its configuration; None where that is none of an image.
    :param index: of the list that it was found in, if any.
    :raises ValueError: the configuration is no JSON object.
    """
    document = json.loads(config.decode()) if config is not None else {}
    if not isinstance(document, dict):
        raise ValueError("its configuration is no JSON object")
    entries = manifest.document.get("layers") or ()
    sizes = [_size(entry) for entry in entries]
    config_size = _size(manifest.document.get("config") or {})
    known = [size for size in (config_size, *sizes) if size is not None]
    return ImageContents(
        id=str(manifest.digest),
        references=tuple(references),
        pinned=tuple(pinned),
        names=tuple(names),
        digests=Digests(manifest.config_digest, manifest.digest, index),
        config=document,
        layers=layers_of(document, list(zip(manifest.layers, sizes))),
        size=sum(known) if len(known) == len(sizes) + 1 else None,
    )


def _size(descriptor: t.Mapping[str, t.Any]) -> t.Optional[int]:
    size = descriptor.get("size")
    return size if isinstance(size, int) else None
