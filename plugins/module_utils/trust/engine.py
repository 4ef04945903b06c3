# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""An engine as it was found on a node."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.trust.processes import Process

CONTAINERD = "containerd"
DOCKER = "docker"
PODMAN = "podman"
CRIO = "crio"
ENGINES = (
    PODMAN,
    DOCKER,
    CRIO,
    CONTAINERD,
)  # in the order in which they are served: what may need a restart comes last

NOTHING = "nothing"
RELOAD = "reload"
RESTART = "restart"


@dataclasses.dataclass(frozen=True)
class Engine:
    """An engine of this node.

    :param version: as it says itself, e.g. "1.7.24".
    :param config_file: the file that its flags name, or its default.
    :param daemon: its process, None if none runs or the engine has none.
    :param socket: where its API or its CRI is served; empty for Podman.
    :param client: the program that a pull is asked of; empty if there is none, and for Docker, which is asked by its
        API.
    :param program: the engine's own program.
    :param insecure: for Docker, the registries and networks that it does not verify now; None if it was not asked.
    """

    name: str
    version: str
    config_file: str
    daemon: t.Optional[Process] = None
    socket: str = ""
    client: str = ""
    insecure: t.Optional[t.Tuple[str, ...]] = None
    program: str = ""

    @property
    def major(self) -> int:
        match = re.match(r"\d+", self.version)
        return int(match.group()) if match else 0

    @property
    def is_stopped(self) -> bool:
        """Whether it is a daemon that does not run: it reads its files when it starts."""
        return self.daemon is None and self.name != PODMAN


def version_in(text: str) -> str:
    """The version number in what a program prints for C(--version), e.g. "1.7.24"; empty if there is none."""
    match = re.search(r"\bv?(\d+\.\d+(?:\.\d+)?)", text)
    return match.group(1) if match else ""
