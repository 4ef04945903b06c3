# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The CRI of containerd and CRI-O, asked as the kubelet asks it, by crictl.

A login is handed to crictl in its environment (C(CRICTL_AUTH), read by 1.36): a process's arguments are there for every
user to read, its environment for root and its own user.
"""

from __future__ import annotations

import base64
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import RunCommand
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.trust.complaint import PullFailed

PULL_TIMEOUT = 60  # seconds for a few hundred bytes


class Cri:
    """One runtime.

    :param program: crictl's path.
    :param socket: the runtime's socket.
    """

    def __init__(self, run_command: RunCommand, program: str, socket: str) -> None:
        self._run_command = run_command
        endpoint = "unix://" + socket
        self._argv = [program, "--runtime-endpoint", endpoint, "--image-endpoint", endpoint]

    def complaint(self) -> t.Optional[str]:
        """What keeps the CRI from serving, None if it serves. A containerd whose CRI failed to load looks healthy
        otherwise.
        """
        done = self._run_command([*self._argv, "--timeout", "5s", "version"])
        return None if done.rc == 0 else (done.stderr or done.stdout).strip()

    def pull(self, reference: Reference, registry: RegistrySettings) -> None:
        """Pull an image.

        :raises PullFailed: with what crictl said.
        """
        environment = {}
        if registry.username is not None:
            login = "%s:%s" % (registry.username, registry.password)
            environment["CRICTL_AUTH"] = base64.b64encode(login.encode()).decode()
        argv = ["timeout", str(PULL_TIMEOUT), *self._argv, "pull", str(reference)]
        done = self._run_command(argv, environment=environment)
        if done.rc == 124:
            raise PullFailed("timed out after %d s" % PULL_TIMEOUT)
        if done.rc:
            raise PullFailed(done.stderr or done.stdout)

    def remove(self, reference: Reference) -> None:
        """Remove an image with all its names: only for one that nobody else can have.

        :raises OSError: it stays.
        """
        done = self._run_command([*self._argv, "--timeout", "10s", "rmi", str(reference)])
        if done.rc:
            raise OSError((done.stderr or done.stdout).strip())
