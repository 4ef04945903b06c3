# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.
"""Looking at what repositories have, so that it can be decided what of it is kept."""

from __future__ import annotations

import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.errors import RegistryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.image_reader import ImageReader
from ansible_collections.longshore.delivery.plugins.module_utils.registry.manifest import INDEX_MEDIA_TYPES
from ansible_collections.longshore.delivery.plugins.module_utils.registry.referrers import (
    About,
    has_api,
    referrers_of,
    subject_of_tag,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.retention_contents import Repository
from ansible_collections.longshore.delivery.plugins.module_utils.registry.retention_rules import Rules
from ansible_collections.longshore.delivery.plugins.module_utils.registry.retention_use import InUse
from ansible_collections.longshore.delivery.plugins.module_utils.registry.served import ServedImage
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.registry.walk import Walk

_DENIED = ("unauthorized", "forbidden", "not_found")
Warn = t.Callable[[str], None]


def names_of(settings: RegistrySettings, rules: Rules, timeout: float, warn: Warn) -> t.List[str]:
    """All repositories of the registry. Where its catalog is not for this user, those that the rules name.

    :raises RegistryError: it cannot be asked, or the rules have patterns for what the catalog would say.
    """
    with Walk(settings, timeout=timeout) as walk:
        try:
            return list(walk.repositories())
        except RegistryError as error:
            if rules.named is None or (error.kind not in _DENIED and error.status != 405):
                raise
            warn(
                "%s Only the repositories that the rules name are looked at: the bytes that others have as well are counted as "
                "freed, though they are not." % error
            )
            return rules.named


def look_at(
    settings: RegistrySettings, names: t.Sequence[str], timeout: float, progress: Warn
) -> t.Dict[str, Repository]:
    """What the tags of repositories lead to, by the repositories' names.

    :raises RegistryError: the registry cannot be asked.
    """
    found = {name: Repository(name) for name in names}
    shown: t.Set[str] = set()
    with Walk(settings, timeout=timeout) as walk:
        for served in walk.images(names):
            repository = found[served.repository]
            if served.repository not in shown:
                shown.add(served.repository)
                progress(served.repository)
            if served.image is not None:
                _add(repository, served.image)
                repository.tags[served.tag] = str(served.image.digest)
                subject = subject_of_tag(served.tag)
                if subject is not None:
                    repository.about_others.add(served.tag)
                    repository.referrers.setdefault(str(subject), set()).add(str(served.image.digest))
            elif served.is_there:
                repository.unread.append("%s:%s (%s)" % (served.repository, served.tag, served.problem))
    return found


def look_further(
    settings: RegistrySettings, repositories: t.Iterable[Repository], in_use: InUse, timeout: float
) -> None:
    """Add what no tag leads to: what is in use by its digest, and, where the registry has the API for that, what refers to it.

    :param repositories: those that rules are of.
    :raises RegistryError: the registry cannot be asked.
    """
    with RegistryClient(settings, timeout) as client:
        reader = ImageReader(client)
        for repository in repositories:
            for name, digest in sorted(in_use.places):
                if name == repository.name and digest not in repository.manifests():
                    _add_by_digest(repository, reader, digest)
            if repository.images and has_api(client, repository.name):
                _add_referrers(repository, client, reader)


def _add_referrers(repository: Repository, client: RegistryClient, reader: ImageReader) -> None:
    about, asked = About(by_api=True), set()
    waiting = list(repository.manifests())
    while waiting:
        digest = waiting.pop()
        asked.add(digest)
        for referrer in referrers_of(client, repository.name, ManifestDigest.parse(digest), about):
            repository.referrers.setdefault(digest, set()).add(str(referrer.digest))
            if str(referrer.digest) not in repository.images:
                _add_by_digest(repository, reader, str(referrer.digest))
        if not waiting:
            waiting = [one for one in repository.manifests() if one not in asked]


def _add_by_digest(repository: Repository, reader: ImageReader, digest: str) -> None:
    try:
        image = reader.of_digest(repository.name, ManifestDigest.parse(digest))
    except RegistryError as error:
        if error.kind != "other" or error.status is not None:
            raise
        repository.unread.append("%s@%s (%s)" % (repository.name, digest, error))
        return
    if image is not None:
        _add(repository, image)


def _add(repository: Repository, image: ServedImage) -> None:
    repository.images[str(image.digest)] = image
    unread = [one for one in _lists(image) if one.problem]
    repository.unread.extend(
        "%s@%s (%s)" % (repository.name, one.digest, one.problem)
        for one in unread
        if one.media_type in INDEX_MEDIA_TYPES
    )


def _lists(image: ServedImage) -> t.Iterator[ServedImage]:
    yield image
    for _listed, child in image.children:
        if child is not None:
            yield from _lists(child)
