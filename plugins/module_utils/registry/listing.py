# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.
"""The lists of a registry, of repositories and of tags, page by page."""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t
from urllib.parse import urljoin, urlsplit

from ansible_collections.longshore.delivery.plugins.module_utils.registry.errors import Answer, RegistryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.manifest import MANIFEST_LIMIT
from ansible_collections.longshore.delivery.plugins.module_utils.registry.transport import Origin, Request

# Distribution takes no more for its catalog unless it is told to; without a number it gives 100 repositories, and all tags.
PAGE = 1000
_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next"?')  # in a header Link, RFC 8288


class Listing(t.Protocol):
    """What a list needs of the client."""

    def request(self, request: Request, repository: str, right: str) -> Answer:
        """Send with a login."""

    def refusal(self, what: str, answer: Answer) -> RegistryError:
        """What is raised for an answer that is none of a success."""

    def error(self, kind: str, cause: str) -> RegistryError: ...


@dataclasses.dataclass(frozen=True)
class Listed:
    """A list that a registry has.

    :param path: where it is.
    :param key: what it is called in the answers.
    :param what: what messages call it.
    :param repository: that it is of, if any.
    :param numbered: whether a request says how long a page is to be.
    """

    path: str
    key: str
    what: str
    repository: str = ""
    numbered: bool = True


def pages(client: Listing, origin: Origin, listed: Listed) -> t.Iterator[t.List[t.Any]]:
    """The pages of a list; none where nothing is there. One that is longer than a manifest may be is refused.

    :param origin: of the registry, from which all pages come.
    :raises RegistryError: the registry refuses, cannot be reached or answers something else.
    """
    repository, right = listed.repository, "pull" if listed.repository else "*"
    following = "%s?n=%d" % (listed.path, PAGE) if listed.numbered else listed.path
    seen: t.Set[str] = set()
    while following and following not in seen:
        asked = following
        seen.add(asked)
        answer = client.request(Request("GET", asked, limit=MANIFEST_LIMIT), repository, right)
        if answer.status == 400 and listed.numbered and len(seen) == 1:
            following = listed.path  # it takes no number, or none that large
            continue
        if answer.status == 404 and repository:
            return
        if answer.status != 200:
            raise client.refusal(listed.what, answer)
        try:
            entries = list(json.loads(answer.body.decode())[listed.key] or ())
        except (ValueError, LookupError, TypeError):
            raise client.error("other", "it answers with something else for %s." % listed.what) from None
        yield entries
        link = _NEXT.search(answer.headers.get("link", ""))
        following = _own_place(origin, link.group(1)) if link else ""


def _own_place(origin: Origin, location: str) -> str:
    """The path and query of a further page, wherever a server in front makes it appear to be."""
    parts = urlsplit(urljoin(origin.url + "/", location))
    return parts.path + ("?" + parts.query if parts.query else "")
