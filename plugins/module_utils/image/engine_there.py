# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Which engine of this host builds or runs an image: where none is asked for by its name, those two have to be the same."""

from __future__ import annotations

import os
import shutil
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import (
    DEFAULT_HOST,
    DockerAddress,
)
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import DOCKER


def engine_there(address: DockerAddress, programs: t.Sequence[str]) -> t.Tuple[str, str]:
    """Docker where an address is given or its socket is there, else the first of some programs that is there; and why.

    :param address: Docker's, by the options, the environment or its default.
    :param programs: of engines without a daemon.
    """
    if address.host != DEFAULT_HOST:
        return DOCKER, "its address is given"
    # here: Ansible compiles what it imports at each run
    from ansible_collections.longshore.delivery.plugins.module_utils.node.discovery import SOCKETS

    found = next((name for name in programs if shutil.which(name)), None)
    if found is None or os.path.exists(SOCKETS[DOCKER]):
        return DOCKER, "its socket is there"
    return found, "its program is there, and no Docker"


def program_of(name: str, error: t.Type[DeliveryError]) -> str:
    """The path of an engine's program.

    :param name: of an engine without a daemon, by which its program goes as well.
    :param error: what is raised where it is not in PATH.
    """
    program = shutil.which(name)
    if program is None:
        raise error(
            "'engine' is %s, and there is no program %s in PATH (%s). Install it, or choose another engine."
            % (name, name, os.environ.get("PATH", ""))
        )
    return program
