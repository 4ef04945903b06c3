# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.
"""Deleting manifests, so that a run that is interrupted at any moment is completed by the next one.

What an index lists, and most of what is about an image, has no tag: once the image is gone nothing leads to it. So it is noted
before, in the registry itself, by an index of its own under a tag of its own. The next run finds that, and what it lists.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.errors import RegistryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.manifest import NO_MANIFEST, OCI_INDEX
from ansible_collections.longshore.delivery.plugins.module_utils.registry.retention_contents import NOTE_TAG, Repository
from ansible_collections.longshore.delivery.plugins.module_utils.registry.retention_plan import Going


class RetentionError(DeliveryError):
    """Something that keeps images from being deleted, or that is not as it should be after that."""


def see_that_it_deletes(client: RegistryClient, repositories: t.Iterable[str]) -> None:
    """Return if the registry deletes manifests in each of these; what it is asked to delete cannot be there.

    :raises RegistryError: it does not, or not for this user.
    """
    for name in repositories:
        try:
            client.delete_manifest(name, NO_MANIFEST)
        except RegistryError as error:
            if error.status != 405:
                raise
            raise client.error(
                "other",
                "it deletes nothing in %s, so that nothing was. Where it is not read-only and mirrors no other one, enable "
                "deletion in its configuration, which the role registry does: storage: {delete: {enabled: true}}."
                % name,
            ) from None


def see_that_no_tag_came(client: RegistryClient, repository: Repository, going: t.Sequence[Going]) -> None:
    """Return if no tag leads to what goes that did not before.

    :raises RetentionError: one does.
    """
    digests = {one.digest for one in going}
    for tag in client.tags(repository.name):
        if repository.tags.get(tag) in digests:
            continue  # gone with it, or moved away from it
        head = client.head_manifest(repository.name, tag)
        if head is not None and str(head.digest) in digests:
            raise RetentionError(
                "%s:%s was pushed while it was decided what goes, and leads to %s, which was to go. Nothing was deleted in %s. "
                "Run this again, at a time at which nothing is pushed."
                % (repository.name, tag, head.digest, repository.name)
            )


def note(client: RegistryClient, repository: str, going: t.Sequence[Going]) -> t.Optional[ManifestDigest]:
    """Note in the registry what no tag leads to once its image is gone; None where there is no such thing."""
    lost = [one for one in going if one.tags in ((), (NOTE_TAG,))]
    if not lost:
        return None
    listed = [
        {"mediaType": one.image.media_type, "digest": one.digest, "size": one.image.manifest_size} for one in lost
    ]
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed}
    return client.put_manifest(repository, NOTE_TAG, OCI_INDEX, json.dumps(index).encode())


def see_that_it_is_done(client: RegistryClient, repository: Repository, going: t.Sequence[Going]) -> None:
    """Ask the registry again: what was to go is gone, all else is there.

    :raises RetentionError: it is not.
    """
    name, gone = repository.name, {one.digest for one in going}
    left = [one for one in gone if client.head_manifest(name, ManifestDigest.parse(one)) is not None]
    if left:
        raise RetentionError(
            "Registry %s deleted %s of %s, and afterwards serves it. Somebody may have pushed it again."
            % (client.settings.endpoint, ", ".join(sorted(left)), name)
        )
    missing = [
        digest
        for digest in repository.manifests()
        if digest not in gone and client.head_manifest(name, ManifestDigest.parse(digest)) is None
    ]
    if missing:
        raise RetentionError(
            "Registry %s no longer has %s of %s, which was to stay and which this run did not delete. Somebody else may have; "
            "push it again if it is needed." % (client.settings.endpoint, ", ".join(sorted(missing)), name)
        )
