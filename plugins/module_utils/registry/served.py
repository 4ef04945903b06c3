# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.
"""What a registry serves under a tag: the manifest, what it lists, what it is made of, and what refers to it."""

from __future__ import annotations

import dataclasses
import datetime
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.moments import shown_moment
from ansible_collections.longshore.delivery.plugins.module_utils.registry.manifest import Child


@dataclasses.dataclass(frozen=True)
class Referrer:
    """A manifest that is about another one: a signature, an attestation, a bill of materials.

    :param artifact_type: what it says it is; the end of its tag where it is known by that alone.
    :param tag: by which it is found, where the registry has no API for referrers.
    """

    digest: ManifestDigest
    media_type: str
    artifact_type: t.Optional[str]
    tag: t.Optional[str] = None

    def shown(self) -> t.Dict[str, t.Any]:
        return {
            "digest": str(self.digest),
            "media_type": self.media_type,
            "artifact_type": self.artifact_type,
            "tag": self.tag,
        }


@dataclasses.dataclass(frozen=True)
class ServedImage:
    """A manifest that is served.

    :param manifest_size: of the manifest itself, in bytes.
    :param blobs: the sizes in bytes of its configuration and layers, by digest; None where one is not said.
    :param platform: of an image, by its configuration.
    :param created: of an image, by its configuration.
    :param subject: the manifest that it is about.
    :param children: of an index, in its order; with what is served of each, None where that is not there.
    :param problem: what of it is not as it should be.
    """

    digest: ManifestDigest
    media_type: str
    manifest_size: int
    blobs: t.Mapping[str, t.Optional[int]] = dataclasses.field(default_factory=dict)
    artifact_type: t.Optional[str] = None
    platform: t.Optional[str] = None
    created: t.Optional[datetime.datetime] = None
    subject: t.Optional[ManifestDigest] = None
    children: t.Tuple[t.Tuple[Child, t.Optional[ServedImage]], ...] = ()
    problem: t.Optional[str] = None

    @property
    def parts(self) -> t.Dict[str, t.Optional[int]]:
        """The sizes of all that it is made of by digest, each once: manifests, configurations and layers."""
        found: t.Dict[str, t.Optional[int]] = {str(self.digest): self.manifest_size, **self.blobs}
        for _listed, child in self.children:
            found.update(child.parts if child else {})
        return found

    @property
    def size(self) -> t.Optional[int]:
        """What is transferred for all of it, in bytes; None where some of it is not known."""
        sizes = [size for size in self.parts.values() if size is not None]
        return sum(sizes) if len(sizes) == len(self.parts) else None

    @property
    def latest(self) -> t.Optional[datetime.datetime]:
        """When it was created; of an index, the last of what it lists."""
        known = [child.latest for _listed, child in self.children if child]
        return max((moment for moment in (self.created, *known) if moment), default=None)

    @property
    def problems(self) -> t.List[str]:
        """What is not as it should be, of its children too."""
        found = [self.problem] if self.problem else []
        for listed, child in self.children:
            found += child.problems if child else ["%s is listed and is not there" % listed.digest]
        return found

    def shown(self) -> t.Dict[str, t.Any]:
        """As a task's result has it."""
        return {
            "digest": str(self.digest),
            "media_type": self.media_type,
            "artifact_type": self.artifact_type,
            "platforms": sorted(platforms(self)),
            "size": self.size,
            "created": shown_moment(self.latest),
            "subject": str(self.subject) if self.subject else None,
            "children": [
                {
                    "digest": str(listed.digest),
                    "media_type": listed.media_type,
                    "platform": listed.platform or (child.platform if child else None),
                    "size": child.size if child else None,
                    "created": shown_moment(child.latest) if child else None,
                    "served": child is not None,
                }
                for listed, child in self.children
            ],
        }


NOT_LOOKED_AT: t.Dict[str, t.Any] = dict.fromkeys(
    ("digest", "media_type", "artifact_type", "platforms", "size", "created", "subject", "children")
)


def platforms(image: ServedImage) -> t.Set[str]:
    """The platforms that it is for, attestations left out."""
    found = {image.platform} if image.platform else set()
    for listed, child in image.children:
        if listed.is_attestation:
            continue
        found |= {listed.platform} if listed.platform else platforms(child) if child else set()
    return found


@dataclasses.dataclass(frozen=True)
class ServedTag:
    """A tag, and what is served under it.

    :param image: None where that was not looked at, or cannot be read.
    :param referrers: what is about that.
    :param problem: why it cannot be read.
    :param is_there: whether anything is served under it, as far as that was looked at.
    """

    repository: str
    tag: str
    image: t.Optional[ServedImage] = None
    referrers: t.Tuple[Referrer, ...] = ()
    problem: t.Optional[str] = None
    is_there: bool = True

    def shown(self) -> t.Dict[str, t.Any]:
        """As a task's result has it."""
        problems = [self.problem] if self.problem else self.image.problems if self.image else []
        return {
            "name": "%s:%s" % (self.repository, self.tag),
            "repository": self.repository,
            "tag": self.tag,
            **(self.image.shown() if self.image else NOT_LOOKED_AT),
            "referrers": [referrer.shown() for referrer in self.referrers],
            "problems": problems,
        }
