# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Where the engines look, and where the ledger is."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.node.discovery import CONFIG_FILES
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import PODMAN


@dataclasses.dataclass(frozen=True)
class Locations:
    """Absolute paths; every field but C(root) is below it, which is '/' but in tests."""

    root: str = "/"

    def _below(self, path: str) -> str:
        return os.path.join(self.root, path)

    @property
    def containerd_hosts(self) -> str:
        """The directory that config_path is set to where it is not set."""
        return self._below("etc/containerd/certs.d")

    @property
    def docker_certificates(self) -> str:
        return self._below("etc/docker/certs.d")

    @property
    def containers_certificates(self) -> str:
        return self._below("etc/containers/certs.d")

    @property
    def registries_drop_ins(self) -> str:
        return self._below(CONFIG_FILES[PODMAN])

    @property
    def registries_of_users(self) -> t.Tuple[str, ...]:
        """Patterns of files that hide all of /etc/containers/registries.conf* from the user whose they are (Podman 4, 5)."""
        return tuple(self._below(home + "/.config/containers/registries.conf") for home in ("root", "home/*"))

    @property
    def ledger(self) -> str:
        return self._below("var/lib/longshore/trust.json")

    @property
    def stored(self) -> str:
        """The directory of the bytes that files had before."""
        return self._below("var/lib/longshore/trust")
