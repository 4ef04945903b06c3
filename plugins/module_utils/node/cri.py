# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""containerd and CRI-O, as Kubernetes uses them: through the CRI, by crictl.

A login is handed to crictl in its environment (C(CRICTL_AUTH), read by 1.36): a process's arguments are there for every
user to read, its environment for root and its own user.
"""

from __future__ import annotations

import contextlib
import json
import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import RunCommand
from ansible_collections.longshore.delivery.plugins.module_utils.node.client import (
    EngineRefusal,
    asked_as,
    run_program,
)
from ansible_collections.longshore.delivery.plugins.module_utils.node.held_images import HeldImage, without_algorithm
from ansible_collections.longshore.delivery.plugins.module_utils.node.login import Login
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference

_FATAL = re.compile(r'level=fatal msg="((?:[^"\\]|\\.)*)"')
# crictl's words for an image that the runtime does not have
_GONE = re.compile(r"no such image .* present|image \S+ not found", re.IGNORECASE)
# crictl gives up after two seconds by itself, which a busy node may need.
_ANSWER_SECONDS = 30
_SIGN_OF_LIFE_SECONDS = 5
_INSPECT = ("inspecti", "--output", "json")


class Cri:
    """A runtime behind a CRI socket.

    :param crictl: the program's path.
    :param socket: the runtime's socket.
    :param seconds: the most that a pull may take; None for as long as it takes.
    """

    sets_tags = False

    def __init__(self, run_command: RunCommand, crictl: str, socket: str, seconds: t.Optional[int] = None) -> None:
        self._run_command = run_command
        endpoint = "unix://" + socket
        self._command = [crictl, "--runtime-endpoint", endpoint, "--image-endpoint", endpoint]
        self._seconds = seconds

    def complaint(self) -> t.Optional[str]:
        """What keeps the CRI from serving, None if it serves. A containerd whose CRI failed to load looks healthy
        otherwise.
        """
        try:
            self._crictl(["version"], answer_seconds=_SIGN_OF_LIFE_SECONDS)
        except EngineRefusal as refusal:
            return str(refusal)
        return None

    def images(self) -> t.List[HeldImage]:
        """:raises EngineRefusal: the runtime does not answer."""
        listed = json.loads(self._crictl(["images", "--output", "json"]))
        return [
            HeldImage.of(image["id"], [*(image.get("repoDigests") or ()), *(image.get("repoTags") or ())])
            for image in listed.get("images") or ()
        ]

    def inspected(self, image_id: str) -> t.Optional[t.Dict[str, t.Any]]:
        """What the runtime tells of an image: C(status), and under C(info) its configuration as C(imageSpec); None where the
        image is gone.

        :raises EngineRefusal: the runtime's own words.
        """
        try:
            found: t.Dict[str, t.Any] = json.loads(self._crictl([*_INSPECT, without_algorithm(image_id)]))
        except EngineRefusal as refusal:
            if _GONE.search(str(refusal)):
                return None
            raise
        return found

    def all_inspected(self, image_ids: t.Sequence[str]) -> t.Dict[str, t.Optional[t.Dict[str, t.Any]]]:
        """What the runtime tells of each image, as C(inspected) does, by one process for all of them where none is gone.

        :raises EngineRefusal: the runtime's own words.
        """
        if len(image_ids) > 1:
            asked = map(without_algorithm, image_ids)
            # one that is gone is an error of all; and some versions of crictl write several as no JSON
            with contextlib.suppress(EngineRefusal, ValueError):
                return dict(zip(image_ids, json.loads(self._crictl([*_INSPECT, *asked]))))
        return {image_id: self.inspected(image_id) for image_id in image_ids}

    def pull(self, reference: Reference, login: t.Optional[Login]) -> None:
        """:raises EngineRefusal: the runtime's own words."""
        environment = {"CRICTL_AUTH": login.basic} if login else {}
        self._crictl(["pull", asked_as(reference)], self._seconds, environment)

    def tag(self, reference: Reference) -> None:
        raise EngineRefusal("the CRI sets no tags")

    def remove(self, reference: Reference) -> None:
        """Remove an image with all its names, also one that pods run from: only for one that nobody else can have.

        :raises EngineRefusal: it stays.
        """
        self._crictl(["rmi", asked_as(reference)])

    def _crictl(
        self,
        arguments: t.Sequence[str],
        seconds: t.Optional[int] = None,
        environment: t.Optional[t.Mapping[str, str]] = None,
        answer_seconds: int = _ANSWER_SECONDS,
    ) -> str:
        argv = [*self._command, "--timeout", "%ds" % answer_seconds, *arguments]
        try:
            return run_program(self._run_command, argv, seconds, environment)
        except EngineRefusal as refusal:
            raise EngineRefusal(_words(str(refusal))) from None


def _words(said: str) -> str:
    """The runtime's own words of what crictl logs: it says them twice, quoted, behind those of gRPC."""
    fatal = _FATAL.search(said)
    text = fatal.group(1).replace('\\"', '"') if fatal else said
    return text.rpartition(" desc = ")[2].strip()
