# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What the API of registries does not tell: manifests without a tag, and what a tag led to before.

Distribution keeps both as files and directories (2.8 and 3, registry/storage/paths.go), which nginx lists below C(PLACE) where
the role registry was told of peers. A registry without that tells nothing here, and all of this has an answer for it.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.reference import InvalidReference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.clock import seconds_of
from ansible_collections.longshore.delivery.plugins.module_utils.registry.errors import Answer
from ansible_collections.longshore.delivery.plugins.module_utils.registry.transport import Request

PLACE = "/longshore/storage"
# of no repository: nginx says 404 where it may look, and 403 where its user may not enter a directory on the way
_PROBE = "%s/longshore/none/_manifests/revisions/sha256/" % PLACE
_LIMIT = 64 * 1024 * 1024  # bytes of a list: some 500,000 digests
_LINK_LIMIT = 1024
ALGORITHM = "sha256"  # the only one by which distribution stores what is pushed by a tag


class Records:
    """Of one registry, through its client."""

    def __init__(self, client: RegistryClient) -> None:
        self._client = client

    def are_closed(self) -> bool:
        """Whether they are offered, and what offers them may not read them."""
        return self._client.request(Request("GET", _PROBE, limit=_LIMIT)).status == 403

    def manifests(self, repository: str) -> t.Optional[t.Set[str]]:
        """The digests of all manifests of a repository, some of which may be deleted; None where that is not told."""
        return self._digests("%s/%s/_manifests/revisions/%s/" % (PLACE, repository, ALGORITHM))

    def past(self, repository: str, tag: str, digest: ManifestDigest) -> t.Optional[bool]:
        """Whether a tag leads or led to this; None where that is not told."""
        found = self._digests("%s/%s/_manifests/tags/%s/index/%s/" % (PLACE, repository, tag, ALGORITHM))
        return None if found is None else str(digest) in found

    def age(self, repository: str, tag: str) -> t.Optional[float]:
        """The seconds since a tag was last written, by the clock of the registry's host; None where that is not told."""
        answer = self._asked("%s/%s/_manifests/tags/%s/current/link" % (PLACE, repository, tag), _LINK_LIMIT)
        if answer is None:
            return None
        now, then = (seconds_of(answer.headers.get(name)) for name in ("date", "last-modified"))
        return None if now is None or then is None else now - then

    def _digests(self, path: str) -> t.Optional[t.Set[str]]:
        answer = self._asked(path, _LIMIT)
        if answer is None:
            return None
        try:
            names = [str(entry["name"]) for entry in json.loads(answer.body.decode())]
            return {str(ManifestDigest(ALGORITHM, name)) for name in names if name.isalnum()}
        except (ValueError, LookupError, TypeError, InvalidReference):
            return None

    def _asked(self, path: str, limit: int) -> t.Optional[Answer]:
        answer = self._client.request(Request("GET", path, limit=limit))
        return answer if answer.status == 200 else None
