# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The few calls of Docker's API that the trust stage makes, over the engine's own socket.

The paths carry no version: the engine answers with its newest, so that none is pinned that a later engine refuses.
"""

from __future__ import annotations

import base64
import http.client
import json
import socket
import typing as t
from urllib.parse import quote, urlencode

from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.trust.complaint import PullFailed


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class DockerApi:
    """A Docker engine.

    :param path: its socket.
    :param timeout: in seconds, for each wait for bytes.
    """

    def __init__(self, path: str, timeout: float = 60.0) -> None:
        self._path = path
        self._timeout = timeout

    def info(self) -> t.Dict[str, t.Any]:
        """What C(docker info) shows.

        :raises OSError: nothing answers.
        """
        status, body = self._request("GET", "/info", {})
        if status != 200:
            raise OSError("Docker answers HTTP %d for /info: %s" % (status, _message(body)))
        result: t.Dict[str, t.Any] = json.loads(body)
        return result

    def pull(self, reference: Reference, registry: RegistrySettings) -> None:
        """Pull an image. The password travels in a header, over the socket.

        :raises PullFailed: with what Docker said.
        """
        query = urlencode({"fromImage": reference.name, "tag": str(reference.tag)})
        headers = {"X-Registry-Auth": _authorization(registry)}
        try:
            status, body = self._request("POST", "/images/create?" + query, headers)
        except (OSError, http.client.HTTPException) as error:
            raise PullFailed(str(error) or type(error).__name__) from None
        if status != 200:
            raise PullFailed(_message(body))
        for line in body.splitlines():
            event = json.loads(line) if line.strip() else {}
            if "error" in event:
                raise PullFailed(str(event["error"]))

    def remove(self, reference: Reference) -> None:
        """Remove this name of an image, and the image if it has no other.

        :raises OSError: it stays.
        """
        status, body = self._request("DELETE", "/images/" + quote(str(reference), safe="/:"), {})
        if status not in (200, 404):
            raise OSError(_message(body))

    def _request(self, method: str, url: str, headers: t.Mapping[str, str]) -> t.Tuple[int, bytes]:
        connection = _UnixConnection(self._path, self._timeout)
        try:
            connection.request(method, url, headers=dict(headers))
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


def insecure_registries(info: t.Mapping[str, t.Any]) -> t.Tuple[str, ...]:
    """The registries and networks that an engine does not verify, by what it says itself."""
    configuration = info.get("RegistryConfig") or {}
    names = [name for name, index in (configuration.get("IndexConfigs") or {}).items() if not index.get("Secure", True)]
    return (*names, *(configuration.get("InsecureRegistryCIDRs") or ()))


def _authorization(registry: RegistrySettings) -> str:
    """RFC 7515's alphabet, with padding; an engine from 28.3.3 on wants the header also where nobody logs in."""
    login = {"serveraddress": str(registry.endpoint)}
    if registry.username is not None and registry.password is not None:
        login.update(username=registry.username, password=registry.password)
    return base64.urlsafe_b64encode(json.dumps(login).encode()).decode()


def _message(body: bytes) -> str:
    text = body.decode("utf-8", "replace").strip()
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text
