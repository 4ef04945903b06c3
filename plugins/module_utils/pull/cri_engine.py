# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""containerd and CRI-O, as Kubernetes uses them: through the CRI, by crictl."""

from __future__ import annotations

import base64
import json
import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed, RunCommand
from ansible_collections.longshore.delivery.plugins.module_utils.pull.held_images import HeldImage
from ansible_collections.longshore.delivery.plugins.module_utils.pull.pulling import Login, PullFailed
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference

_FATAL = re.compile(r'level=fatal msg="((?:[^"\\]|\\.)*)"')
# crictl gives up after two seconds by itself, which a busy node may need.
_ANSWER_SECONDS = 30


class CriEngine:
    """A runtime behind a CRI socket."""

    sets_tags = False

    def __init__(self, run_command: RunCommand, crictl: str, socket: str) -> None:
        self._run_command = run_command
        endpoint = "unix://" + socket
        self._command = [crictl, "--runtime-endpoint", endpoint, "--image-endpoint", endpoint]
        self._command += ["--timeout", "%ds" % _ANSWER_SECONDS]

    def images(self) -> t.List[HeldImage]:
        """:raises PullFailed: the runtime does not answer."""
        answer = self._crictl(["images", "--output", "json"])
        return [
            HeldImage.of(image["id"], [*(image.get("repoDigests") or ()), *(image.get("repoTags") or ())])
            for image in json.loads(answer.stdout).get("images") or ()
        ]

    def pull(self, reference: Reference, login: t.Optional[Login]) -> None:
        """Pull. crictl takes the login from its environment, which only the same user and root can read.

        :raises PullFailed: the runtime's own words.
        """
        environment = {}
        if login:
            text = "%s:%s" % (login.username, login.password)
            environment["CRICTL_AUTH"] = base64.b64encode(text.encode()).decode()
        self._crictl(["pull", "%s@%s" % (reference.name, reference.digest)], environment)

    def tag(self, reference: Reference) -> None:
        raise PullFailed("the CRI sets no tags")

    def _crictl(self, arguments: t.List[str], environment: t.Optional[t.Dict[str, str]] = None) -> Completed:
        completed = self._run_command([*self._command, *arguments], environment=environment)
        if completed.rc != 0:
            raise PullFailed(_words(completed.stderr or completed.stdout))
        return completed


def _words(said: str) -> str:
    """The runtime's own words of what crictl logs: it says them twice, quoted, behind those of gRPC."""
    fatal = _FATAL.search(said)
    text = fatal.group(1).replace('\\"', '"') if fatal else said
    return text.rpartition(" desc = ")[2]
