# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""A container engine as it was found on a node."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.node.processes import Process

CONTAINERD = "containerd"
DOCKER = "docker"
PODMAN = "podman"
BUILDAH = "buildah"
AUTO = "auto"  # in place of a name: the one that is there
CRIO = "crio"
# The programs of their daemons; Podman has none.
DAEMONS = {CONTAINERD: "containerd", DOCKER: "dockerd", CRIO: "crio"}


@dataclasses.dataclass(frozen=True)
class Engine:
    """An engine of a node.

    :param version: as it says itself, e.g. "1.7.24"; empty until it was asked.
    :param config_file: the file that its flags name, or its default; for Podman the directory of drop-ins.
    :param daemon: its process, None if none runs or the engine has none.
    :param socket: where its API or its CRI is served; empty for Podman.
    :param client: the program that a pull is asked of; empty if there is none, and for Docker, which is asked by its API.
    :param program: the engine's own program; empty if there is none, as where only a socket was found.
    :param listens: whether its socket is there.
    :param owner: whose part it is, e.g. "k3s"; empty for one that is nobody's.
    :param insecure: for Docker, the registries and networks that it does not verify now; None if it was not asked.
    """

    name: str
    version: str
    config_file: str
    daemon: t.Optional[Process] = None
    socket: str = ""
    client: str = ""
    program: str = ""
    listens: bool = False
    owner: str = ""
    insecure: t.Optional[t.Tuple[str, ...]] = None

    @property
    def major(self) -> int:
        match = re.match(r"\d+", self.version)
        return int(match.group()) if match else 0

    @property
    def is_stopped(self) -> bool:
        """Whether it is a daemon that does not run: it reads its files when it starts."""
        return self.daemon is None and self.name in DAEMONS

    @property
    def is_of_this_node(self) -> bool:
        """Whether the engine itself is here: the socket of another machine's may be mounted into a container."""
        return self.daemon is not None or bool(self.program)
