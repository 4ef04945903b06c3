# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Podman, by its program."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import tempfile
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import RunCommand
from ansible_collections.longshore.delivery.plugins.module_utils.pull.held_images import HeldImage
from ansible_collections.longshore.delivery.plugins.module_utils.pull.pulling import Login, PullFailed
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference


class Podman:
    """The images of the user who runs this."""

    sets_tags = True

    def __init__(self, run_command: RunCommand, program: str) -> None:
        self._run_command = run_command
        self._program = program

    def images(self) -> t.List[HeldImage]:
        """:raises PullFailed: Podman fails."""
        return [
            HeldImage.of(image["Id"], [*(image.get("RepoDigests") or ()), *(image.get("Names") or ())])
            for image in json.loads(self._podman(["images", "--no-trunc", "--format", "json"]) or "[]")
        ]

    def pull(self, reference: Reference, login: t.Optional[Login]) -> None:
        """Pull; the login is in a file of its own that only this user can read, for as long as the pull lasts.

        :raises PullFailed: Podman's own words.
        """
        image = "%s@%s" % (reference.name, reference.digest)
        if login is None:
            self._podman(["pull", "--quiet", image])
            return
        with _auth_file(login) as path:
            self._podman(["pull", "--quiet", "--authfile", path, image])

    def tag(self, reference: Reference) -> None:
        """:raises PullFailed: Podman's own words."""
        self._podman(["tag", "%s@%s" % (reference.name, reference.digest), "%s:%s" % (reference.name, reference.tag)])

    def _podman(self, arguments: t.List[str]) -> str:
        completed = self._run_command([self._program, *arguments])
        if completed.rc != 0:
            raise PullFailed(completed.stderr or completed.stdout)
        return completed.stdout


@contextlib.contextmanager
def _auth_file(login: Login) -> t.Iterator[str]:
    """A file as C(containers-auth.json(5)) describes it; in memory where there is a /run to write in."""
    basic = base64.b64encode(("%s:%s" % (login.username, login.password)).encode()).decode()
    directory = "/run" if os.access("/run", os.W_OK) else None
    descriptor, path = tempfile.mkstemp(prefix="longshore-pull-", dir=directory)
    try:
        with os.fdopen(descriptor, "w") as file:
            json.dump({"auths": {str(login.endpoint): {"auth": basic}}}, file)
        yield path
    finally:
        os.unlink(path)
