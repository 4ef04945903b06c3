# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What a Docker engine's API tells of images and does with them, as far as no registry is needed for it.

The paths carry no version: the engine answers with its newest, so that none is pinned that a later engine refuses.
"""

from __future__ import annotations

import contextlib
import json
import typing as t
from urllib.parse import quote, urlencode

from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.transport import (
    EngineTransport,
    Response,
)
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference
from ansible_collections.longshore.delivery.plugins.module_utils.verified_stream import Readable

Document = t.Dict[str, t.Any]


class EngineApi:
    """An engine.

    :param answer_seconds: the most that it may take for what it answers from its own store.
    :param save_seconds: the most that it may be silent about an image that it hands out, all of which it prepares first.
    """

    def __init__(self, transport: EngineTransport, answer_seconds: int, save_seconds: int) -> None:
        self._transport = transport
        self._answer_seconds = answer_seconds
        self._save_seconds = save_seconds

    def close(self) -> None:
        self._transport.close()

    def info(self) -> Document:
        """What C(docker info) shows."""
        return t.cast("Document", self._told("/info"))

    def version(self) -> Document:
        """What C(docker version) shows of the engine."""
        return t.cast("Document", self._told("/version"))

    def listed(self, hidden: bool = False, label: str = "") -> t.List[Document]:
        """All images but those between a build's steps, as the API lists them. With its C(digests), which Docker does not read,
        Podman's service answers nothing at all (20.10 and 26.1, 4.3).

        :param hidden: those too.
        :param label: as key=value; those with it alone.
        """
        query = {}
        if hidden:
            query["all"] = "1"
        if label:
            query["filters"] = json.dumps({"label": [label]})
        return t.cast("t.List[Document]", self._told("/images/json%s" % ("?" + urlencode(query) if query else "")))

    def inspected(self, image: str) -> t.Optional[Document]:
        """What the API shows of an image, by a name or ID; None where it is gone."""
        return t.cast("t.Optional[Document]", self._told("/images/%s/json" % _quoted(image), gone=True))

    def history(self, image_id: str) -> t.List[Document]:
        """An image's history as the API shows it, the newest first; none where the image is gone."""
        return self._told("/images/%s/history" % _quoted(image_id), gone=True) or []

    def containers(self) -> t.List[Document]:
        """All containers, running or not, as the API lists them."""
        return t.cast("t.List[Document]", self._told("/containers/json?all=1"))

    def name_image(self, image_id: str, reference: Reference) -> None:
        """Name an image by the reference's tag; the name is taken from whatever image has it."""
        query = urlencode({"repo": reference.name, "tag": reference.tag or ""})
        self._answer("POST", "/images/%s/tag?%s" % (_quoted(image_id), query))

    def discard(self, name: str, parents: bool = True) -> None:
        """Remove a name, or an image by its ID. What is gone already is no error.

        :param parents: with the images without a name that it was built on.
        """
        self._answer("DELETE", "/images/%s%s" % (_quoted(name), "" if parents else "?noprune=1"), gone=True)

    @contextlib.contextmanager
    def saved(self, *images: str) -> t.Iterator[Readable]:
        """Images by names or IDs as C(docker save) writes them into one archive, read while it comes; nothing of it is kept."""
        path = "/images/get?" + urlencode({"names": images}, doseq=True)
        with contextlib.ExitStack() as opened:
            with self._faults(self._save_seconds):
                response = opened.enter_context(self._transport.begun("GET", path, {}, self._save_seconds))
                if response.status >= 400:
                    raise self._refusal(_message(response.read(1024 * 1024)))
            yield _Read(response, lambda: self._faults(self._save_seconds))

    def _told(self, path: str, gone: bool = False) -> t.Any:
        """The document at a path; None where it is gone, if that is no failure."""
        status, content = self._answer("GET", path, gone=gone)
        try:
            return None if status == 404 else json.loads(content)
        except ValueError:
            raise self._refusal("no JSON, but %r" % content[:200]) from None

    def _answer(
        self,
        method: str,
        path: str,
        headers: t.Optional[t.Mapping[str, str]] = None,
        seconds: t.Optional[int] = None,
        gone: bool = False,
    ) -> t.Tuple[int, bytes]:
        """Status and body of an answer.

        :param seconds: the most that the engine may be silent; None for what it answers from its own store.
        :param gone: whether what is not there is no failure.
        """
        seconds = self._answer_seconds if seconds is None else seconds
        with self._faults(seconds):
            status, content = self._transport.answer(method, path, headers or {}, seconds)
        if status >= 400 and not (gone and status == 404):
            raise self._refusal(_message(content))
        return status, content

    def _refusal(self, message: str) -> Exception:
        """What to raise for an engine that refuses, in its own words."""
        raise NotImplementedError

    def _faults(self, seconds: int) -> t.ContextManager[None]:
        """Translate what goes wrong while the body waits for the engine for so many seconds: C(transport.FAULTS)."""
        raise NotImplementedError


class _Read:
    """A response whose faults are translated."""

    def __init__(self, response: Response, faults: t.Callable[[], t.ContextManager[None]]) -> None:
        self._response = response
        self._faults = faults

    def read(self, size: int, /) -> bytes:
        with self._faults():
            return self._response.read(size)


def _quoted(name: str) -> str:
    return quote(name, safe="/:@")


def _message(content: bytes) -> str:
    """What the API says of an error, JSON or not."""
    text = content.decode("utf-8", "replace")
    with contextlib.suppress(ValueError, KeyError, TypeError):
        text = str(json.loads(text)["message"])
    return text
