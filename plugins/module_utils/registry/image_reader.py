# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.
"""Reading what a repository serves under its tags, as far as it takes to tell it: manifests and configurations, no layers."""

from __future__ import annotations

import collections
import json
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.digest import ConfigDigest, ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.moments import time_of
from ansible_collections.longshore.delivery.plugins.module_utils.reference import InvalidReference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.errors import RegistryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.manifest import (
    MANIFEST_LIMIT,
    Manifest,
    platform_of,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.referrers import About, referrers_of
from ansible_collections.longshore.delivery.plugins.module_utils.registry.served import (
    Referrer,
    ServedImage,
    ServedTag,
)

_KEPT = 256  # manifests that are remembered, as several tags may be for one
_DEEPEST = 4  # lists within lists, of which real ones have two


class ImageReader:
    """Reads the images of one repository after the other.

    :param client: whose connection it uses.
    """

    def __init__(self, client: RegistryClient) -> None:
        self._client = client
        self._known: t.OrderedDict[t.Tuple[str, str], t.Any] = collections.OrderedDict()

    def of_tag(self, repository: str, tag: str, about: About) -> ServedTag:
        """What is served under a tag.

        :param about: where what refers to an image is found in this repository.
        :raises RegistryError: the registry cannot be asked at all.
        """
        manifest: t.Optional[Manifest] = None
        try:
            manifest = self._client.get_manifest(repository, tag)
            image = self._of_manifest(repository, manifest, 0)
            referrers = self._referrers(repository, manifest.digest, about)
        except RegistryError as error:
            if not _is_of_one_image(error):
                raise
            is_there = manifest is not None or error.kind != "not_found"
            return ServedTag(repository, tag, problem=str(error), is_there=is_there)
        except InvalidReference as error:
            return ServedTag(repository, tag, problem=str(error))
        return ServedTag(repository, tag, image, referrers)

    def of_digest(self, repository: str, digest: ManifestDigest) -> t.Optional[ServedImage]:
        """What is served by a digest; None where nothing is.

        :raises RegistryError: it cannot be read.
        :raises InvalidReference: it names something that is no digest.
        """
        return self._child(repository, digest, 0)

    def _of_manifest(self, repository: str, manifest: Manifest, depth: int) -> ServedImage:
        return t.cast(
            ServedImage,
            self._once(repository, "image %s" % manifest.digest, lambda: self._read(repository, manifest, depth)),
        )

    def _referrers(self, repository: str, digest: ManifestDigest, about: About) -> t.Tuple[Referrer, ...]:
        return t.cast(
            t.Tuple[Referrer, ...],
            self._once(
                repository, "referrers %s" % digest, lambda: referrers_of(self._client, repository, digest, about)
            ),
        )

    def _once(self, repository: str, what: str, read: t.Callable[[], t.Any]) -> t.Any:
        key = (repository, what)
        if key not in self._known:
            self._known[key] = read()
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return self._known[key]

    def _read(self, repository: str, manifest: Manifest, depth: int) -> ServedImage:
        platform = created = problem = None
        if manifest.has_image_config:
            config, problem = self._config(repository, manifest)
            platform, created = platform_of(config), time_of(config.get("created"))
        elif depth == _DEEPEST and manifest.listed:
            problem = "%s is a list %d lists deep: it was not read further" % (manifest.digest, depth)
        listed = manifest.listed if depth < _DEEPEST else ()
        return ServedImage(
            digest=manifest.digest,
            media_type=manifest.media_type,
            manifest_size=len(manifest.body),
            blobs=manifest.blobs,
            artifact_type=manifest.artifact_type,
            platform=platform,
            created=created,
            subject=manifest.subject,
            children=tuple((child, self._child(repository, child.digest, depth + 1)) for child in listed),
            problem=problem,
        )

    def _child(self, repository: str, digest: ManifestDigest, depth: int) -> t.Optional[ServedImage]:
        known = self._known.get((repository, "image %s" % digest))
        if known is not None:
            return t.cast(ServedImage, known)
        try:
            manifest = self._client.get_manifest(repository, digest)
        except RegistryError as error:
            if error.kind == "not_found":
                return None
            raise
        return self._of_manifest(repository, manifest, depth)

    def _config(self, repository: str, manifest: Manifest) -> t.Tuple[t.Dict[str, t.Any], t.Optional[str]]:
        """Its configuration, empty where it cannot be read, and why it cannot."""
        digest = t.cast(ConfigDigest, manifest.config_digest)
        size = manifest.blobs.get(str(digest))
        if size is not None and size > MANIFEST_LIMIT:
            return {}, "its configuration %s has %d bytes: it was not read" % (digest, size)
        try:
            document = json.loads(self._client.get_blob(repository, digest).decode())
        except RegistryError as error:
            if not _is_of_one_image(error):
                raise
            return {}, str(error)
        except ValueError:
            document = None
        return (document, None) if isinstance(document, dict) else ({}, "its configuration %s is none" % digest)


def _is_of_one_image(error: RegistryError) -> bool:
    """Whether that is wrong with one image; after anything else the registry cannot be asked for the next one either."""
    return error.kind in ("not_found", "other") and error.status not in (429, 502, 503, 504)
