# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What an engine says of itself: its version, and for Docker the registries that it does not verify."""

from __future__ import annotations

import dataclasses
import re

from ansible_collections.longshore.delivery.plugins.module_utils.capability import RunCommand
from ansible_collections.longshore.delivery.plugins.module_utils.node.client import EngineRefusal
from ansible_collections.longshore.delivery.plugins.module_utils.node.docker_socket import (
    DockerSocket,
    insecure_registries,
)
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import CONTAINERD, DOCKER, Engine


def with_version(engine: Engine, run_command: RunCommand) -> Engine:
    """The engine with its version: a running Docker's by its API, otherwise its program's."""
    if engine.name == DOCKER and engine.daemon is not None:
        try:
            info = DockerSocket(engine.socket).info()
        except EngineRefusal:
            pass  # it starts just now, or listens elsewhere: its program knows the version too
        else:
            version = version_in(str(info.get("ServerVersion")))
            return dataclasses.replace(engine, version=version, insecure=insecure_registries(info))
    if not engine.program:
        return engine
    said = run_command([engine.program, "--version"]).stdout
    if engine.name == CONTAINERD:
        # "containerd github.com/containerd/containerd/v2 v2.2.9 ...": the module's name has a number too
        said = " ".join(said.split()[2:])
    return dataclasses.replace(engine, version=version_in(said))


def version_in(text: str) -> str:
    """The version number in what a program prints for C(--version), e.g. "1.7.24"; empty if there is none."""
    match = re.search(r"\bv?(\d+\.\d+(?:\.\d+)?)", text)
    return match.group(1) if match else ""
