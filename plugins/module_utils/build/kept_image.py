# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""An image of an OCI layout or a registry, as the decision to build compares images. Pure."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.image import Image
from ansible_collections.longshore.delivery.plugins.module_utils.image.contents import Digests, ImageContents


@dataclasses.dataclass(frozen=True)
class KeptImage(Image):
    """
    :param digests: of an image; of a list of several platforms the list's alone.
    """

    digests: Digests = dataclasses.field(default_factory=Digests)

    @property
    def config_digest(self) -> t.Optional[str]:
        return str(self.digests.config) if self.digests.config else None


def kept_image(platforms: t.Sequence[ImageContents]) -> t.Optional[KeptImage]:
    """
    :param platforms: one image, by its platforms; none of them where there is none.
    """
    if not platforms:
        return None
    first = platforms[0]
    top = first.digests.index or first.digests.manifest
    made_of = sorted((one.platform or "", str(one.digests.config)) for one in platforms)
    return KeptImage(
        id=str(top),
        labels=first.labels,
        references=tuple(map(str, first.references)),
        repository_digests=tuple(map(str, first.pinned)),
        layers=tuple(str(layer.diff_id) for layer in first.layers),
        content=_digest(made_of),
        settings=_digest(first.settings),
        digests=first.digests if len(platforms) == 1 else Digests(index=first.digests.index),
    )


def kept_images(contents: t.Sequence[ImageContents]) -> t.List[KeptImage]:
    """Images by their platforms, each put together again."""
    by_top: t.Dict[str, t.List[ImageContents]] = {}
    for one in contents:
        by_top.setdefault(str(one.digests.index or one.digests.manifest), []).append(one)
    return [image for image in map(kept_image, by_top.values()) if image]


def _digest(document: t.Any) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
