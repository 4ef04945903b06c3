# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Podman, or Skopeo where there is no Podman: they read /etc/containers anew at every call."""

from __future__ import annotations

import base64
import json
import os
import tempfile
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import RunCommand
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.trust.complaint import PullFailed

PULL_TIMEOUT = 60  # seconds for a few hundred bytes


class Podman:
    """The program of this path: podman or skopeo. A login reaches it in a file of mode 0600 that goes afterwards."""

    def __init__(self, run_command: RunCommand, program: str) -> None:
        self._run_command = run_command
        self._program = program
        self._keeps_images = os.path.basename(program) == "podman"

    def pull(self, reference: Reference, registry: RegistrySettings) -> None:
        """Pull an image; Skopeo, which keeps none, reads its manifest and its configuration.

        :raises PullFailed: with what the program said.
        """
        with tempfile.TemporaryDirectory(prefix="longshore-") as directory:  # mode 0700
            login: t.List[str] = []
            if registry.username is not None:
                path = os.path.join(directory, "auth.json")
                with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
                    json.dump(_authorizations(registry), stream)
                login = ["--authfile", path]
            if self._keeps_images:
                argv = ["pull", "--quiet", *login, str(reference)]
            else:
                argv = ["inspect", *login, "docker://%s" % reference]
            done = self._run_command(["timeout", str(PULL_TIMEOUT), self._program, *argv])
        if done.rc == 124:
            raise PullFailed("timed out after %d s" % PULL_TIMEOUT)
        if done.rc:
            raise PullFailed(done.stderr or done.stdout)

    def remove(self, reference: Reference) -> None:
        """Remove this name of an image, and the image if it has no other.

        :raises OSError: it stays.
        """
        if not self._keeps_images:
            return
        done = self._run_command([self._program, "rmi", str(reference)])
        if done.rc:
            raise OSError((done.stderr or done.stdout).strip())


def _authorizations(registry: RegistrySettings) -> t.Dict[str, t.Any]:
    login = "%s:%s" % (registry.username, registry.password)
    return {"auths": {str(registry.endpoint): {"auth": base64.b64encode(login.encode()).decode()}}}
