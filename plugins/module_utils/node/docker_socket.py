# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""A node's own Docker engine, by its API on the socket, with the standard library alone.

The paths carry no version: the engine answers with its newest, so that none is pinned that a later engine refuses.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import socket
import typing as t
from urllib.parse import quote, urlencode

from ansible_collections.longshore.delivery.plugins.module_utils.node.client import EngineRefusal, asked_as
from ansible_collections.longshore.delivery.plugins.module_utils.node.held_images import HeldImage
from ansible_collections.longshore.delivery.plugins.module_utils.node.login import Login
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference
from ansible_collections.longshore.delivery.plugins.module_utils.verified_stream import Readable

_ANSWER_SECONDS = 60  # for what it answers from its own store
_SILENCE_SECONDS = 900  # of a pull, between two words: it is silent while it unpacks a large layer


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path
        self._seconds = timeout

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)

    @contextlib.contextmanager
    def faults(self) -> t.Iterator[None]:
        """Translate what goes wrong while the body waits for the engine."""
        try:
            yield
        except socket.timeout:
            raise EngineRefusal("timed out after %d s" % self._seconds) from None
        except (OSError, http.client.HTTPException) as error:
            raise EngineRefusal("dial unix %s: %s" % (self._path, error)) from None


class _Answer:
    """An answer of the engine, its body read while it comes.

    :param gone: a status beside those of success that is none of failure.
    :raises EngineRefusal: the engine does not answer, or refuses; also while the body is read.
    """

    def __init__(
        self,
        connection: _UnixConnection,
        method: str,
        path: str,
        headers: t.Optional[t.Mapping[str, str]] = None,
        gone: t.Optional[int] = None,
    ) -> None:
        self._connection = connection
        with connection.faults():
            connection.request(method, path, headers=dict(headers or {}))
            self._response = connection.getresponse()
        self.status = self._response.status
        if self.status >= 400 and self.status != gone:
            raise _refusal(self.text())

    def read(self, size: int, /) -> bytes:
        with self._connection.faults():
            return self._response.read(size)

    def text(self) -> str:
        """The whole body."""
        with self._connection.faults():
            return self._response.read().decode("utf-8", "replace")


def _refusal(text: str) -> EngineRefusal:
    """An error by what the API answers, JSON or not."""
    with contextlib.suppress(ValueError, KeyError, TypeError):
        text = json.loads(text)["message"]
    return EngineRefusal(text)


class DockerSocket:
    """Docker behind a Unix socket.

    :param path: the socket.
    :param seconds: the most that it may be silent during a pull; None for as long as a large layer takes.
    """

    sets_tags = True

    def __init__(self, path: str, seconds: t.Optional[int] = None) -> None:
        self._path = path
        self._seconds = _SILENCE_SECONDS if seconds is None else seconds

    def info(self) -> t.Dict[str, t.Any]:
        """What C(docker info) shows.

        :raises EngineRefusal: the engine does not answer.
        """
        shown: t.Dict[str, t.Any] = json.loads(self._request("GET", "/info"))
        return shown

    def images(self) -> t.List[HeldImage]:
        """:raises EngineRefusal: the engine does not answer."""
        return [HeldImage.of_docker(listed) for listed in self.listed()]

    def listed(self, hidden: bool = False) -> t.List[t.Dict[str, t.Any]]:
        """All images but those between a build's steps, as the API lists them.

        :param hidden: those too.
        :raises EngineRefusal: the engine does not answer.
        """
        path = "/images/json?digests=1" + ("&all=1" if hidden else "")
        found: t.List[t.Dict[str, t.Any]] = json.loads(self._request("GET", path))
        return found

    def inspected(self, image_id: str) -> t.Optional[t.Dict[str, t.Any]]:
        """What the API shows of an image; None where it is gone.

        :raises EngineRefusal: the engine does not answer.
        """
        status, text = self._answer("GET", "/images/%s/json" % quote(image_id, safe=""), gone=404)
        found: t.Dict[str, t.Any] = json.loads(text)
        return found if status != 404 else None

    def history(self, image_id: str) -> t.List[t.Dict[str, t.Any]]:
        """An image's history as the API shows it, the newest first; none where the image is gone.

        :raises EngineRefusal: the engine does not answer.
        """
        status, text = self._answer("GET", "/images/%s/history" % quote(image_id, safe=""), gone=404)
        found: t.List[t.Dict[str, t.Any]] = json.loads(text)
        return found if status != 404 else []

    @contextlib.contextmanager
    def saved(self, image: str) -> t.Iterator[Readable]:
        """An image by a name or ID as C(docker save) writes it, read while it comes.

        :raises EngineRefusal: it is not there, or the engine does not answer; also while it is read.
        """
        with contextlib.closing(_UnixConnection(self._path, self._seconds)) as connection:
            yield _Answer(connection, "GET", "/images/get?" + urlencode({"names": image}))

    def pull(self, reference: Reference, login: t.Optional[Login]) -> None:
        """Pull; the login travels in a header, over the socket.

        :raises EngineRefusal: the engine's own words.
        """
        query = urlencode({"fromImage": reference.name, "tag": str(reference.digest or reference.tag)})
        headers = {"X-Registry-Auth": _registry_auth(login)}
        answer = self._request("POST", "/images/create?" + query, headers, self._seconds)
        for line in answer.splitlines():
            event = json.loads(line) if line.strip() else {}
            if event.get("error"):
                raise EngineRefusal(str(event["error"]))

    def tag(self, reference: Reference) -> None:
        """:raises EngineRefusal: the engine's own words."""
        self.name(asked_as(reference), reference)

    def name(self, image_id: str, reference: Reference) -> None:
        """Name an image by the reference's tag; the name is taken from whatever image has it.

        :raises EngineRefusal: the engine's own words.
        """
        query = urlencode({"repo": reference.name, "tag": reference.tag or ""})
        self._request("POST", "/images/%s/tag?%s" % (quote(image_id, safe=""), query))

    def remove(self, reference: Reference) -> None:
        """Remove this name of an image, and the image if it has no other. One that is gone already is no error.

        :raises EngineRefusal: it stays.
        """
        self.discard(asked_as(reference))

    def discard(self, name: str) -> None:
        """Remove a name, or an image by its ID. What is gone already is no error.

        :raises EngineRefusal: it stays.
        """
        self._request("DELETE", "/images/" + quote(name, safe=""), gone=404)

    def containers(self) -> t.List[t.Dict[str, t.Any]]:
        """All containers, running or not, as the API lists them.

        :raises EngineRefusal: the engine does not answer.
        """
        found: t.List[t.Dict[str, t.Any]] = json.loads(self._request("GET", "/containers/json?all=1"))
        return found

    def _request(
        self,
        method: str,
        path: str,
        headers: t.Optional[t.Mapping[str, str]] = None,
        seconds: int = _ANSWER_SECONDS,
        gone: t.Optional[int] = None,
    ) -> str:
        """The text of an answer, as C(_answer) has it."""
        return self._answer(method, path, headers, seconds, gone)[1]

    def _answer(
        self,
        method: str,
        path: str,
        headers: t.Optional[t.Mapping[str, str]] = None,
        seconds: int = _ANSWER_SECONDS,
        gone: t.Optional[int] = None,
    ) -> t.Tuple[int, str]:
        """Status and text of an answer.

        :param gone: a status beside those of success that is none of failure.
        """
        with contextlib.closing(_UnixConnection(self._path, seconds)) as connection:
            answer = _Answer(connection, method, path, headers, gone)
            return answer.status, answer.text()


def _registry_auth(login: t.Optional[Login]) -> str:
    """RFC 7515's alphabet, with padding; an engine from 28.3.3 on wants the header also where nobody logs in."""
    auth = {}
    if login:
        auth = {"username": login.username, "password": login.password, "serveraddress": str(login.endpoint)}
    return base64.urlsafe_b64encode(json.dumps(auth).encode()).decode()


def insecure_registries(info: t.Mapping[str, t.Any]) -> t.Tuple[str, ...]:
    """The registries and networks that an engine does not verify, by what it says itself."""
    configuration = info.get("RegistryConfig") or {}
    names = [name for name, index in (configuration.get("IndexConfigs") or {}).items() if not index.get("Secure", True)]
    return (*names, *(configuration.get("InsecureRegistryCIDRs") or ()))
