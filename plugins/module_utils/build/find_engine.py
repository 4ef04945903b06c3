# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Which engine builds: the one that is asked for, or the first that is there."""

from __future__ import annotations

import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.builder import BuildEngine, BuildEngineError
from ansible_collections.longshore.delivery.plugins.module_utils.build.docker_builds import DockerBuildEngine
from ansible_collections.longshore.delivery.plugins.module_utils.capability import RunCommand
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import DockerAddress
from ansible_collections.longshore.delivery.plugins.module_utils.image.engine_there import engine_there, program_of
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import AUTO, BUILDAH, DOCKER, PODMAN

DOCKER_CLASSIC = "docker_classic"
ENGINES = (AUTO, DOCKER, DOCKER_CLASSIC, PODMAN, BUILDAH)
_LIBRARY = (PODMAN, BUILDAH)


def find_engine(
    wanted: str, address: DockerAddress, run_command: RunCommand, builder: str = ""
) -> t.Tuple[BuildEngine, str]:
    """The engine, and why it is that one. By C(auto) Docker where an address is given or its socket is there, else Podman,
    else Buildah.

    :param wanted: one of ENGINES.
    :param builder: the name of a builder of buildx; empty for the engine's own.
    :param address: Docker's, by the options, the environment or its default.
    :raises DeliveryError: it is not there.
    """
    if builder:
        from ansible_collections.longshore.delivery.plugins.module_utils.build.named_builder import NamedBuilderEngine

        return NamedBuilderEngine(address, run_command, builder), "'builder' is buildx', which is Docker's"
    name, why = (wanted, "it was asked for") if wanted != AUTO else engine_there(address, _LIBRARY)
    if name not in _LIBRARY:
        return DockerBuildEngine(address, run_command, classic=name == DOCKER_CLASSIC), why
    # here, as everything that a run without changes does not need: Ansible compiles what it imports at each run
    from ansible_collections.longshore.delivery.plugins.module_utils.build.buildah import LibraryEngine

    return LibraryEngine(name, program_of(name, BuildEngineError), run_command), why
