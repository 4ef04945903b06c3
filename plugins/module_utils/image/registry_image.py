# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The images that a registry serves."""

from __future__ import annotations

import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.digest import IndexDigest, ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.image.contents import ImageContents
from ansible_collections.longshore.delivery.plugins.module_utils.image.manifest_contents import contents_of
from ansible_collections.longshore.delivery.plugins.module_utils.image.names import InvalidSelection, Names
from ansible_collections.longshore.delivery.plugins.module_utils.reference import InvalidReference, Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient, RegistryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.manifest import Manifest

# by repository and digest, the tags that serve it
_Served = t.Dict[str, t.Dict[ManifestDigest, t.List[str]]]


class RegistryImages:
    """A registry's images; a context manager that closes the client.

    :param progress: is told which repository is looked at.
    """

    def __init__(self, client: RegistryClient, progress: t.Callable[[str], None]) -> None:
        self._client = client
        self._progress = progress
        self._endpoint = client.settings.endpoint

    def __enter__(self) -> RegistryImages:
        return self

    def __exit__(self, *exception: object) -> None:
        self._client.close()

    def images(self, wanted: Names) -> t.List[ImageContents]:
        """The images that are meant and that the registry serves, each platform's for itself.

        :raises RegistryError: the registry does not answer as it should.
        :raises InvalidSelection: a reference is of another registry.
        """
        for reference in wanted.references:
            if reference.endpoint != self._endpoint:
                raise InvalidSelection(
                    "references: %s is in the registry %s, and the one to ask is %s. Leave the registry away, or ask that one."
                    % (reference, reference.endpoint, self._endpoint)
                )
        found: t.List[ImageContents] = []
        for repository, by_digest in self._served(wanted).items():
            self._progress("%s/%s: %d digests" % (self._endpoint, repository, len(by_digest)))
            for digest, tags in by_digest.items():
                found += self._of_digest(repository, digest, tags)
        return found

    def _served(self, wanted: Names) -> _Served:
        """What is served of that, without the bytes of any manifest."""
        served: _Served = {}
        for repository, tags in self._tags(wanted).items():
            for tag in tags:
                reference = Reference(self._endpoint, repository, tag)
                # with a digest beside the tag, that is compared below
                asked = [one for one in wanted.references if one.name == reference.name and one.tag in (None, tag)]
                if (wanted.references or wanted.globs) and not asked and not wanted.wants([reference]):
                    continue
                head = self._client.head_manifest(repository, tag)
                if head is None:
                    continue
                held = [reference, reference.with_digest(head.digest)]
                if wanted.wants(held):
                    served.setdefault(repository, {}).setdefault(head.digest, []).append(tag)
        for reference in wanted.references:
            if reference.digest is None or reference.tag is not None:
                continue
            head = self._client.head_manifest(reference.repository, reference.digest)
            if head is not None:
                served.setdefault(reference.repository, {}).setdefault(head.digest, [])
        return served

    def _tags(self, wanted: Names) -> t.Dict[str, t.List[str]]:
        """The tags to ask for, by repository: as few as will do."""
        named: t.Dict[str, t.List[str]] = {}
        whole: t.List[str] = []
        for reference in wanted.references:
            if reference.tag is not None:
                named.setdefault(reference.repository, []).append(reference.tag)
            elif reference.digest is None:
                whole.append(reference.repository)
        listed = [(glob, glob.repository(self._endpoint)) for glob in wanted.globs]
        whole += [repository for _glob, repository in listed if repository is not None]
        several = [glob for glob, repository in listed if repository is None]
        if several or not (wanted.references or wanted.globs):
            whole += [
                repository
                for repository in self._client.repositories()
                if not several or any(glob.matches_name(Reference(self._endpoint, repository)) for glob in several)
            ]
        for repository in whole:
            named[repository] = [*named.get(repository, ()), *self._client.tags(repository)]
        return {repository: list(dict.fromkeys(tags)) for repository, tags in named.items()}

    def _of_digest(self, repository: str, digest: ManifestDigest, tags: t.Sequence[str]) -> t.Iterator[ImageContents]:
        try:
            manifest = self._client.get_manifest(repository, digest)
        except RegistryError as error:
            if error.kind == "not_found":
                return  # it was deleted meanwhile
            raise
        references = [Reference(self._endpoint, repository, tag) for tag in tags]
        if not manifest.is_index:
            yield self._image(repository, manifest, None, references, digest)
            return
        index = IndexDigest(digest.algorithm, digest.encoded)
        for child in manifest.children:
            if self._client.head_manifest(repository, child.digest) is None:
                continue  # a mirror may have the list of all platforms and the images of some
            own = self._client.get_manifest(repository, child.digest)
            if not own.is_index:
                yield self._image(repository, own, index, references, digest)

    def _image(
        self,
        repository: str,
        manifest: Manifest,
        index: t.Optional[IndexDigest],
        references: t.Sequence[Reference],
        served_as: ManifestDigest,
    ) -> ImageContents:
        config = None
        if manifest.config_digest is not None and manifest.has_image_config:
            config = self._client.get_blob(repository, manifest.config_digest)
        pinned = [Reference(self._endpoint, repository, digest=served_as)]
        try:
            return contents_of(manifest, config, index, references, pinned)
        except (ValueError, InvalidReference) as error:
            raise RegistryError(
                str(self._endpoint),
                "other",
                "the image %s has a configuration that is none (%s). Push it again." % (pinned[0], error),
            ) from None
