# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""A node's own Docker engine, by its API on the socket, with the standard library alone."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import socket
import typing as t
from urllib.parse import quote, urlencode

from ansible_collections.longshore.delivery.plugins.module_utils.pull.held_images import HeldImage
from ansible_collections.longshore.delivery.plugins.module_utils.pull.pulling import Login, PullFailed
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference

# Between two words of the engine; it is silent while it unpacks a large layer.
_SILENCE_SECONDS = 900.0


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_SILENCE_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class DockerSocket:
    """Docker behind a Unix socket. Its address names no version of the API, so that every engine speaks its newest."""

    sets_tags = True

    def __init__(self, path: str) -> None:
        self._path = path

    def images(self) -> t.List[HeldImage]:
        """:raises PullFailed: the engine does not answer."""
        listed = json.loads(self._request("GET", "/images/json?digests=1"))
        return [
            HeldImage.of(image["Id"], [*(image.get("RepoDigests") or ()), *(image.get("RepoTags") or ())])
            for image in listed
        ]

    def pull(self, reference: Reference, login: t.Optional[Login]) -> None:
        """Pull; the login goes with the request.

        :raises PullFailed: the engine's own words.
        """
        auth = {}
        if login:
            auth = {"username": login.username, "password": login.password, "serveraddress": str(login.endpoint)}
        header = base64.urlsafe_b64encode(json.dumps(auth).encode()).decode()
        query = urlencode({"fromImage": reference.name, "tag": str(reference.digest)})
        answer = self._request("POST", "/images/create?" + query, {"X-Registry-Auth": header})
        for line in answer.splitlines():
            event = json.loads(line)
            if event.get("error"):
                raise PullFailed(str(event["error"]))

    def tag(self, reference: Reference) -> None:
        """:raises PullFailed: the engine's own words."""
        query = urlencode({"repo": reference.name, "tag": reference.tag or ""})
        self._request(
            "POST", "/images/%s/tag?%s" % (quote("%s@%s" % (reference.name, reference.digest), safe=""), query)
        )

    def _request(self, method: str, path: str, headers: t.Optional[t.Dict[str, str]] = None) -> str:
        connection = _UnixConnection(self._path)
        try:
            connection.request(method, path, headers=headers or {})
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            raise PullFailed("dial unix %s: %s" % (self._path, error)) from None
        finally:
            connection.close()
        if answer.status >= 400:
            with contextlib.suppress(ValueError, KeyError, TypeError):
                text = json.loads(text)["message"]
            raise PullFailed(text)
        return text
