# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Bringing a blob of any size into a repository: what is large goes in pieces, so that it is never held whole."""

from __future__ import annotations

import typing as t
from urllib.parse import quote, urljoin

from ansible_collections.longshore.delivery.plugins.module_utils.digest import Digest
from ansible_collections.longshore.delivery.plugins.module_utils.registry.errors import Answer, RegistryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.transport import Origin, Request

PIECE = 16 * 1024 * 1024  # bytes of a blob that are sent at once
_BYTES = {"Content-Type": "application/octet-stream"}


class Sending(t.Protocol):
    """What an upload needs of the client."""

    def request(self, request: Request, repository: str, right: str) -> Answer:
        """Send with a login."""

    def refusal(self, what: str, answer: Answer) -> RegistryError:
        """What is raised for an answer that is none of a success."""

    def error(self, kind: str, cause: str) -> RegistryError: ...


def upload(client: Sending, origin: Origin, repository: str, digest: Digest, pieces: t.Iterable[bytes]) -> None:
    """Send a blob, the last piece with the digest, by which the registry knows whether it is whole.

    :param origin: of the registry, to which all of it goes.
    :raises RegistryError: the registry refuses, or cannot be reached.
    """
    what = "an upload to %s" % repository
    place = _begun(client, origin, repository, what)
    sent, last = 0, b""
    for piece in pieces:
        if last:
            headers = {**_BYTES, "Content-Range": "%d-%d" % (sent, sent + len(last) - 1)}
            answer = client.request(Request("PATCH", place, headers, last), repository, "push")
            place = _place(client, origin, answer, what)
            sent += len(last)
        last = piece
    target = "%s%sdigest=%s" % (place, "&" if "?" in place else "?", quote(str(digest), safe=""))
    answer = client.request(Request("PUT", target, _BYTES, last), repository, "push")
    if answer.status not in (201, 204):
        raise client.refusal(what, answer)


def begin_and_cancel(client: Sending, origin: Origin, repository: str) -> None:
    """Begin an upload and give it up at once: no blob is stored, and whether the registry takes pushes is known.

    Distribution 2.8 leaves the directory of a cancelled upload behind, with the state of an empty hash (seen).

    :raises RegistryError: it takes none, or cannot be reached.
    """
    what = "an upload to %s" % repository
    place = _begun(client, origin, repository, what)
    client.request(Request("DELETE", place), repository, "push")


def _begun(client: Sending, origin: Origin, repository: str, what: str) -> str:
    """Where the first piece goes."""
    answer = client.request(Request("POST", "/v2/%s/blobs/uploads/" % repository, body=b""), repository, "push")
    return _place(client, origin, answer, what)


def _place(client: Sending, origin: Origin, answer: Answer, what: str) -> str:
    """Where the next piece goes."""
    location = answer.headers.get("location")
    if answer.status not in (202, 204) or not location:
        raise client.refusal(what, answer)
    place = urljoin(origin.url + "/", location)
    try:
        there: t.Optional[Origin] = Origin.of(place)
    except ValueError:
        there = None
    if there != origin:
        raise client.error(
            "other",
            "it wants uploads to go to %s, not to itself. If a server in front of it terminates TLS, "
            "that must pass on Host and X-Forwarded-Proto." % (there.url if there else "an address that is none"),
        )
    return place
