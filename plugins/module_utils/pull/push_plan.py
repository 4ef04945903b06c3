# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Which tags of a registry have to be set so that they serve an engine's image. No I/O."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.digest import ConfigDigest, ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Endpoint, Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.manifest import Manifest


@dataclasses.dataclass(frozen=True)
class LocalImage:
    """An image as an engine lists it.

    ``name`` is what the engine knows it by, ``image_id`` what it calls the image ID: in Docker's classic store the config
    digest, in a containerd image store the digest of the manifest or index. ``digests`` are the references under which a
    registry is known to serve it.
    """

    name: str
    image_id: str
    digests: t.Tuple[Reference, ...] = ()

    def is_served_by(self, manifest: Manifest, endpoint: Endpoint, repository: str) -> bool:
        """Whether a registry's manifest is this very image, whichever store the engine has.

        A config digest equal to the image ID, or a manifest digest equal to it: the two stores' ways. An engine that pulled the
        image from an index remembers the index's digest.
        """
        if manifest.config_digest == ConfigDigest.parse(self.image_id):
            return True
        if manifest.digest == ManifestDigest.parse(self.image_id):
            return True
        return any(
            known.endpoint == endpoint and known.repository == repository and known.digest == manifest.digest
            for known in self.digests
        )


@dataclasses.dataclass(frozen=True)
class ServedTag:
    """A tag wanted in the registry, with what it serves now, and whether that is the image already."""

    tag: str
    manifest: t.Optional[Manifest]
    is_wanted: bool

    @property
    def digest(self) -> t.Optional[ManifestDigest]:
        return self.manifest.digest if self.manifest else None


@dataclasses.dataclass(frozen=True)
class PushPlan:
    """What to do: the engine pushes C(upload), then the tags in C(point) get the manifest that is there by then.

    :param manifest: the registry's own manifest of the image, where a tag serves it already.
    """

    upload: t.Optional[str]
    point: t.Tuple[str, ...]
    manifest: t.Optional[Manifest]

    @property
    def changes(self) -> bool:
        return self.upload is not None or bool(self.point)


def plan_push(tags: t.Sequence[ServedTag]) -> PushPlan:
    """Decide for at least one tag.

    The engine pushes only if no tag serves the image, and only once: further tags get the same manifest, so that all of them
    have one digest.
    """
    there = next((tag.manifest for tag in tags if tag.is_wanted), None)
    missing = [tag.tag for tag in tags if not tag.is_wanted]
    if there is not None or not missing:
        return PushPlan(None, tuple(missing), there)
    return PushPlan(missing[0], tuple(missing[1:]), None)
