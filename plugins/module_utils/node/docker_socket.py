# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""A node's own Docker engine, by its API on the socket, with the standard library alone."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import typing as t
from urllib.parse import urlencode

from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import DockerAddress
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.api import EngineApi
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.transport import (
    FAULTS,
    UNIX,
    HttpTransport,
)
from ansible_collections.longshore.delivery.plugins.module_utils.node.client import EngineRefusal, asked_as
from ansible_collections.longshore.delivery.plugins.module_utils.node.held_images import HeldImage
from ansible_collections.longshore.delivery.plugins.module_utils.node.login import Login
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference

_ANSWER_SECONDS = 60  # for what it answers from its own store
_SILENCE_SECONDS = 900  # of a pull, between two words: it is silent while it unpacks a large layer


class DockerSocket(EngineApi):
    """Docker behind a Unix socket. Every method raises C(EngineRefusal), with the engine's own words.

    :param path: the socket.
    :param seconds: the most that it may be silent during a pull; None for as long as a large layer takes.
    """

    sets_tags = True

    def __init__(self, path: str, seconds: t.Optional[int] = None) -> None:
        self._seconds = _SILENCE_SECONDS if seconds is None else seconds
        self.address = DockerAddress(UNIX + path)
        super().__init__(HttpTransport(self.address), _ANSWER_SECONDS, self._seconds)
        self._path = path

    def images(self) -> t.List[HeldImage]:
        return [HeldImage.of_docker(listed) for listed in self.listed()]

    def pull(self, reference: Reference, login: t.Optional[Login]) -> None:
        """Pull; the login travels in a header, over the socket."""
        query = urlencode({"fromImage": reference.name, "tag": str(reference.digest or reference.tag)})
        headers = {"X-Registry-Auth": _registry_auth(login)}
        _status, answer = self._answer("POST", "/images/create?" + query, headers, self._seconds)
        for line in answer.splitlines():
            event = json.loads(line) if line.strip() else {}
            if event.get("error"):
                raise EngineRefusal(str(event["error"]))

    def name(self, image_id: str, reference: Reference) -> None:
        """Name an image by the reference's tag; the name is taken from whatever image has it."""
        self.name_image(image_id, reference)

    def tag(self, reference: Reference) -> None:
        self.name_image(asked_as(reference), reference)

    def remove(self, reference: Reference) -> None:
        """Remove this name of an image, and the image if it has no other. One that is gone already is no error."""
        self.discard(asked_as(reference))

    def _refusal(self, message: str) -> EngineRefusal:
        return EngineRefusal(message)

    @contextlib.contextmanager
    def _faults(self, seconds: int) -> t.Iterator[None]:
        try:
            yield
        except socket.timeout:
            raise EngineRefusal("timed out after %d s" % seconds) from None
        except FAULTS as error:
            raise EngineRefusal("dial unix %s: %s" % (self._path, error)) from None


def _registry_auth(login: t.Optional[Login]) -> str:
    """RFC 7515's alphabet, with padding; an engine from 28.3.3 on wants the header also where nobody logs in."""
    auth = {}
    if login:
        auth = {"username": login.username, "password": login.password, "serveraddress": str(login.endpoint)}
    return base64.urlsafe_b64encode(json.dumps(auth).encode()).decode()


def mirrors(info: t.Mapping[str, t.Any]) -> t.Tuple[str, ...]:
    """The URLs of the mirrors of Docker Hub that an engine asks, by what it says itself, which ends each with a slash."""
    return tuple(url.rstrip("/") for url in (info.get("RegistryConfig") or {}).get("Mirrors") or ())


def insecure_registries(info: t.Mapping[str, t.Any]) -> t.Tuple[str, ...]:
    """The registries and networks that an engine does not verify, by what it says itself."""
    configuration = info.get("RegistryConfig") or {}
    names = [name for name, index in (configuration.get("IndexConfigs") or {}).items() if not index.get("Secure", True)]
    return (*names, *(configuration.get("InsecureRegistryCIDRs") or ()))
