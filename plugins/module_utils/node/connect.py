# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""From an engine that was found to the client that speaks to it."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import RunCommand
from ansible_collections.longshore.delivery.plugins.module_utils.node.client import ImageStore, Puller
from ansible_collections.longshore.delivery.plugins.module_utils.node.cri import Cri
from ansible_collections.longshore.delivery.plugins.module_utils.node.docker_socket import DockerSocket
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import DOCKER, PODMAN, Engine
from ansible_collections.longshore.delivery.plugins.module_utils.node.podman import Podman
from ansible_collections.longshore.delivery.plugins.module_utils.node.skopeo import Skopeo


def image_store(engine: Engine, run_command: RunCommand, seconds: t.Optional[int] = None) -> t.Optional[ImageStore]:
    """The client for an engine's images, None if the program is not there that it would take.

    :param seconds: the most that a pull may take; None for as long as it goes on.
    """
    if engine.name == DOCKER:
        return DockerSocket(engine.socket, seconds)
    if not engine.client:
        return None
    if engine.name != PODMAN:
        return Cri(run_command, engine.client, engine.socket, seconds)
    is_podman = os.path.basename(engine.client) == "podman"
    return Podman(run_command, engine.client, seconds) if is_podman else None


def puller(engine: Engine, run_command: RunCommand, seconds: t.Optional[int] = None) -> t.Optional[Puller]:
    """The client through which an engine pulls: the one for its images, or Skopeo in the place of Podman."""
    if engine.name == PODMAN and os.path.basename(engine.client) == "skopeo":
        return Skopeo(run_command, engine.client, seconds)
    return image_store(engine, run_command, seconds)
