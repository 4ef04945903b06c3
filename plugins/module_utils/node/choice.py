# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Which container engine of a node is the one whose images are meant. Pure."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.node.discovery import CRICTL, SOCKETS, Seen
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import (
    AUTO,
    CONTAINERD,
    CRIO,
    DOCKER,
    PODMAN,
    Engine,
)

_RUNTIMES = (CONTAINERD, CRIO)  # those behind the CRI
_NO_ENGINE = (
    "There is no container engine on %s: no kubelet, no %s, no podman, no crictl with a runtime. Install one, or take the "
    "host out of the group."
)


@dataclasses.dataclass(frozen=True)
class Chosen:
    """An engine that can hold images, and why it was chosen."""

    engine: Engine
    why: str


def choose(wanted: str, seen: Seen, node: str) -> Chosen:
    """Choose an engine. By C(auto) it is the kubelet's on a node of Kubernetes, else Docker, Podman, or what crictl can reach.

    :param wanted: C(auto) or an engine's name.
    :param node: the host's name, for the message.
    :raises DeliveryError: the engine, or the program to speak to it, is not there.
    """
    if wanted == AUTO:
        name, why = _by_itself(seen, node)
    else:
        name, why = wanted, "it was asked for"
    if name == PODMAN:
        path = _program(PODMAN, name, seen, node)
        return Chosen(Engine(PODMAN, "", "", client=path, program=path), why)
    engine = seen.own(name) or Engine(name, "", "", socket=SOCKETS[name])
    if name != DOCKER and seen.kubelet.socket and _runtime_behind(seen.kubelet.socket) == name:
        engine = dataclasses.replace(engine, socket=seen.kubelet.socket, listens=True)
    if not engine.listens:
        raise DeliveryError(
            "%s is to be asked on %s, and its socket %s is not there. Start it, or choose another 'engine'."
            % (name if name != DOCKER else "Docker", node, engine.socket)
        )
    client = "" if name == DOCKER else _program(CRICTL, name, seen, node)
    return Chosen(dataclasses.replace(engine, client=client), why)


def _by_itself(seen: Seen, node: str) -> t.Tuple[str, str]:
    reachable = [name for name in _RUNTIMES if _listens(seen, name)]
    sign = seen.kubelet.sign
    if sign:
        if seen.kubelet.socket:
            return _runtime_behind(seen.kubelet.socket), "%s and uses it" % sign
        if reachable:
            return reachable[0], "%s and its socket is there" % sign
        raise DeliveryError(
            "%s is a node of Kubernetes (%s), and there is no runtime's socket: neither %s. Start the runtime."
            % (node, sign, " nor ".join(SOCKETS[name] for name in _RUNTIMES))
        )
    if _listens(seen, DOCKER):
        return DOCKER, "its socket is there"
    if PODMAN in seen.programs:
        return PODMAN, "its program is there, and no Docker runs"
    if reachable and CRICTL in seen.programs:
        return reachable[0], "its socket is there, and neither Docker nor Podman"
    raise DeliveryError(_NO_ENGINE % (node, SOCKETS[DOCKER]))


def _listens(seen: Seen, name: str) -> bool:
    engine = seen.own(name)
    return engine is not None and engine.listens


def _runtime_behind(socket: str) -> str:
    """A CRI socket's engine, by its name: an unknown one is spoken to as containerd, since both speak the CRI."""
    return CRIO if CRIO in os.path.basename(socket) else CONTAINERD


def _program(program: str, engine: str, seen: Seen, node: str) -> str:
    if program not in seen.programs:
        raise DeliveryError(
            "%s is to be asked on %s, and the program %s is not there. Install it (%s), or choose another 'engine'."
            % (engine, node, program, "package cri-tools" if program == CRICTL else "package podman")
        )
    return seen.programs[program]
