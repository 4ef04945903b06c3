# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.
"""What refers to an image: by the API of the distribution specification 1.1, or by tags where a registry has none.

Distribution has no such API up to version 3. There a list is served under the tag C(sha256-<hex>); cosign has tags of its own
that end in C(.sig), C(.att) and C(.sbom).
"""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.reference import InvalidReference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.errors import RegistryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.listing import Listed
from ansible_collections.longshore.delivery.plugins.module_utils.registry.manifest import (
    MANIFEST_LIMIT,
    NO_MANIFEST,
    Manifest,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.served import Referrer
from ansible_collections.longshore.delivery.plugins.module_utils.registry.transport import Request

_ENDS = ("", ".sig", ".att", ".sbom")
_TAG = re.compile(r"(sha256-[0-9a-f]{64}|sha512-[0-9a-f]{128})(?:\.(sig|att|sbom))?")


@dataclasses.dataclass(frozen=True)
class About:
    """Where what refers to an image is found in one repository.

    :param by_api: whether the registry has the API.
    :param tags: all by which it may be found otherwise.
    """

    by_api: bool = False
    tags: t.FrozenSet[str] = frozenset()

    def of(self, digest: ManifestDigest) -> t.List[str]:
        """The tags by which is found what refers to a manifest."""
        begin = str(digest).replace(":", "-")
        return [begin + end for end in _ENDS if begin + end in self.tags]


def subject_of_tag(tag: str) -> t.Optional[ManifestDigest]:
    """The manifest that a tag says to be about; None where it is one of an image."""
    match = _TAG.fullmatch(tag)
    return ManifestDigest.parse(match.group(1).replace("-", ":")) if match else None


def has_api(client: RegistryClient, repository: str) -> bool:
    """Whether the registry has the API: by the specification it then answers for a digest that is not there, too."""
    answer = client.request(Request("GET", _path(repository, NO_MANIFEST), limit=MANIFEST_LIMIT), repository)
    return answer.status == 200 and _manifests(answer.body) is not None


def referrers_of(
    client: RegistryClient, repository: str, digest: ManifestDigest, about: About
) -> t.Tuple[Referrer, ...]:
    """All that refers to a manifest.

    :raises RegistryError: the registry refuses, cannot be reached or answers something else.
    """
    if about.by_api:
        return _by_api(client, repository, digest)
    found: t.List[Referrer] = []
    for tag in about.of(digest):
        try:
            found += _by_tag(client.get_manifest(repository, tag), tag)
        except RegistryError as error:
            if error.kind != "not_found":
                raise
    return tuple(found)


def _by_api(client: RegistryClient, repository: str, digest: ManifestDigest) -> t.Tuple[Referrer, ...]:
    what = "what refers to %s@%s" % (repository, digest)
    found: t.List[Referrer] = []
    for entry in client.entries(Listed(_path(repository, digest), "manifests", what, repository, numbered=False)):
        try:
            media_type, artifact_type = entry.get("mediaType", ""), entry.get("artifactType")
            found.append(Referrer(ManifestDigest.parse(entry["digest"]), media_type, artifact_type))
        except (InvalidReference, LookupError, TypeError, AttributeError):
            raise client.error("other", "it answers with something else for %s." % what) from None
    return tuple(found)


def _by_tag(manifest: Manifest, tag: str) -> t.List[Referrer]:
    match = _TAG.fullmatch(tag)
    kind = match.group(2) if match else None
    if manifest.is_index and kind is None:
        return [Referrer(child.digest, child.media_type, child.artifact_type, tag) for child in manifest.listed]
    return [Referrer(manifest.digest, manifest.media_type, manifest.artifact_type or kind, tag)]


def _path(repository: str, digest: ManifestDigest) -> str:
    return "/v2/%s/referrers/%s" % (repository, digest)


def _manifests(body: bytes) -> t.Optional[t.List[t.Any]]:
    try:
        found = json.loads(body.decode())["manifests"]
    except (ValueError, LookupError, TypeError):
        return None
    return found if isinstance(found, list) else None
