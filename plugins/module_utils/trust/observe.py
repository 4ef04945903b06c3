# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Look at a node: which of its engines are to be served, and the files around them. Nothing is changed here."""

from __future__ import annotations

import dataclasses
import glob
import os
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils import atomic
from ansible_collections.longshore.delivery.plugins.module_utils.capability import RunCommand
from ansible_collections.longshore.delivery.plugins.module_utils.node import discovery
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import (
    CONTAINERD,
    CRIO,
    DOCKER,
    Engine,
)
from ansible_collections.longshore.delivery.plugins.module_utils.node.versions import with_version
from ansible_collections.longshore.delivery.plugins.module_utils.trust.locations import Locations

# what their documentations say of registries
_WAYS_OUT = {
    "k3s": "name the registry in /etc/rancher/k3s/registries.yaml and restart k3s",
    "RKE2": "name the registry in /etc/rancher/rke2/registries.yaml and restart rke2-server or rke2-agent",
    "MicroK8s": "write a hosts.toml into its directory below /var/snap/microk8s/current/args/certs.d",
}


@dataclasses.dataclass(frozen=True)
class Found:
    """The engines of a node.

    :param engines: those that can be served, by name.
    :param passed_over: engines that are there and are somebody else's part, by name, with the reason.
    """

    engines: t.Mapping[str, Engine]
    passed_over: t.Mapping[str, str]


def find_engines(run_command: RunCommand, locations: Locations, wanted: t.Container[str]) -> Found:
    """Look for engines, and ask those that can be served for their versions.

    :param wanted: engines that were named, and are served even where they look like another engine's part.
    """
    found = serviceable(discovery.look(locations.root), wanted)
    engines = {name: with_version(engine, run_command) for name, engine in found.engines.items()}
    return dataclasses.replace(found, engines=engines)


def serviceable(seen: discovery.Seen, wanted: t.Container[str]) -> Found:
    """Tell the engines that can be served from those that are somebody else's part. Pure."""
    engines: t.Dict[str, Engine] = {}
    passed_over: t.Dict[str, str] = {}
    for engine in seen.engines:
        if engine.owner:
            passed_over[engine.name] = _belongs_to(engine.owner)
        elif engine.is_of_this_node:
            engines.setdefault(engine.name, engine)
    is_kubernetes = bool(seen.kubelet.sign or seen.kubelet.program)
    if CONTAINERD in engines and CONTAINERD not in wanted and not is_kubernetes:
        other = next((name for name in (DOCKER, CRIO) if name in engines), None)
        if other is not None and not engines[CONTAINERD].client:
            del engines[CONTAINERD]
            passed_over[CONTAINERD] = (
                "it serves Docker, and there is no kubelet that pulls through it; name it in 'engines' if something "
                "else does"
                if other == DOCKER
                else "CRI-O serves this node; name it in 'engines' if something pulls through it"
            )
    return Found(engines, {name: why for name, why in passed_over.items() if name not in engines})


def _belongs_to(owner: str) -> str:
    """Why a containerd that another program brought is left to that, which writes over what others put there, and what to do."""
    way_out = _WAYS_OUT.get(owner, "")
    return "it belongs to %s, which writes its configuration itself%s" % (owner, "; " + way_out if way_out else "")


def read_files(paths: t.Iterable[str]) -> t.Dict[str, atomic.FileState]:
    """The files that are there, of these.

    :raises OSError: one cannot be read.
    """
    states = {path: atomic.read(path) for path in set(paths)}
    return {path: state for path, state in states.items() if state is not None}


def read_contents(patterns: t.Iterable[str]) -> t.Dict[str, bytes]:
    """The contents of the files that these paths and patterns name, as far as they can be read."""
    contents = {}
    for pattern in patterns:
        for path in glob.glob(pattern):
            state = atomic.read(path) if os.path.isfile(path) else None
            if state is not None:
                contents[path] = state.content
    return contents


def list_directories(paths: t.Iterable[str]) -> t.Dict[str, t.List[str]]:
    """The names in those of these directories that are there."""
    return {path: sorted(os.listdir(path)) for path in set(paths) if os.path.isdir(path)}
