# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The engine whose images are meant: one at an address, or one of this host."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import platform
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Context
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import DockerAddress
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.client import DockerEngine
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.transport import UNIX
from ansible_collections.longshore.delivery.plugins.module_utils.node.choice import choose
from ansible_collections.longshore.delivery.plugins.module_utils.node.connect import image_store
from ansible_collections.longshore.delivery.plugins.module_utils.node.cri import Cri
from ansible_collections.longshore.delivery.plugins.module_utils.node.discovery import look
from ansible_collections.longshore.delivery.plugins.module_utils.node.docker_socket import DockerSocket
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import AUTO, DOCKER
from ansible_collections.longshore.delivery.plugins.module_utils.node.podman import Podman


@dataclasses.dataclass(frozen=True)
class LocalEngine:
    """An engine.

    :param client: what speaks to it.
    :param where: as a message names it, as in "containerd on n1".
    :param told: what the result says of it.
    """

    client: t.Union[DockerSocket, DockerEngine, Podman, Cri]
    where: str
    told: t.Mapping[str, t.Any]


def find_engine(params: t.Mapping[str, t.Any], context: Context, opened: contextlib.ExitStack) -> LocalEngine:
    """The engine that the options C(engine), C(docker_host) and C(docker_cert_path) mean, or the environment.

    :param opened: what is to be closed afterwards enters it.
    :raises DeliveryError: it is not there, or there is no way to speak to it.
    """
    wanted = params["engine"]
    if wanted in (AUTO, DOCKER) and (params["docker_host"] or os.environ.get("DOCKER_HOST")):
        return _addressed_docker(params, opened)
    node = platform.node()
    chosen = choose(wanted, look(), node)
    client = image_store(chosen.engine, context.run_command)
    if not isinstance(client, (DockerSocket, Podman, Cri)):
        raise ValueError(chosen)  # what is chosen holds images
    told = {"engine": chosen.engine.name, "engine_reason": chosen.why}
    return LocalEngine(client, "%s on %s" % (chosen.engine.name, node), told)


def _addressed_docker(params: t.Mapping[str, t.Any], opened: contextlib.ExitStack) -> LocalEngine:
    address = DockerAddress.find(params["docker_host"], params["docker_cert_path"])
    why = "%s names it" % ("docker_host" if params["docker_host"] else "DOCKER_HOST")
    told, where = {"engine": DOCKER, "engine_reason": why}, "docker at %s" % address
    if address.host.startswith(UNIX):
        return LocalEngine(DockerSocket(address.host[len(UNIX) :]), where, told)
    return LocalEngine(opened.enter_context(contextlib.closing(DockerEngine(address))), where, told)
