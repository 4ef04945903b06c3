# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What each engine must find in its files to trust a registry. Pure: no file is looked at here.

Every rule was observed on the engines: containerd 1.6.20, 1.7.24, 2.1.9, 2.2; Docker 20.10, 26.1, 28.5, 29; Podman 4.3,
5.4, 5.8; CRI-O 1.36.
"""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import (
    CONTAINERD,
    DOCKER,
    Engine,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import VERIFIED, RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.trust import registries_conf
from ansible_collections.longshore.delivery.plugins.module_utils.trust.entry import BLOCK, DIRECTORY, INSECURE, Entry
from ansible_collections.longshore.delivery.plugins.module_utils.trust.hosts_toml import hosts_toml
from ansible_collections.longshore.delivery.plugins.module_utils.trust.locations import Locations

AUTHORITY = "longshore.crt"  # every engine reads all *.crt of a host's directory, so that ours stands beside others'
HOSTS = "hosts.toml"


def wanted_entries(
    engines: t.Sequence[Engine],
    registries: t.Sequence[RegistrySettings],
    hosts_directory: str,
    insecure_by_others: t.Container[str],
    locations: Locations,
) -> t.List[Entry]:
    """The entries for these engines and registries; one for several engines where they read the same file.

    :param hosts_directory: the directory that containerd reads, or is to read.
    :param insecure_by_others: endpoints for which somebody else's drop-in of containers-registries.conf already says
        it.
    """
    entries: t.List[Entry] = []
    for engine in engines:
        for registry in registries:
            if engine.name == CONTAINERD:
                found = _for_containerd(engine, registry, hosts_directory)
            elif engine.name == DOCKER:
                found = _for_docker(engine, registry, locations)
            else:
                found = _for_containers_library(engine, registry, locations)
                if str(registry.endpoint) in insecure_by_others:
                    found = [entry for entry in found if os.path.basename(entry.path) == AUTHORITY]
            for entry in found:
                _merge(entries, entry)
    return entries


def _for_containerd(engine: Engine, registry: RegistrySettings, hosts_directory: str) -> t.List[Entry]:
    directory = os.path.join(hosts_directory, str(registry.endpoint))
    authority = os.path.join(directory, AUTHORITY) if _has_authority(registry) else None
    text = hosts_toml(registry, authority)
    if text is None:
        return []
    endpoints, engines = (str(registry.endpoint),), (engine.name,)
    entries = [Entry(DIRECTORY, engine.config_file, hosts_directory, endpoints, engines, major=engine.major)]
    if authority is not None:
        entries.append(Entry(BLOCK, authority, registry.ca or "", endpoints, engines))
    entries.append(Entry(BLOCK, os.path.join(directory, HOSTS), text, endpoints, engines))
    return entries


def _for_docker(engine: Engine, registry: RegistrySettings, locations: Locations) -> t.List[Entry]:
    endpoint = str(registry.endpoint)
    endpoints, engines = (endpoint,), (engine.name,)
    if registry.tls != VERIFIED:
        if engine.daemon is not None and endpoint in engine.daemon.flags("--insecure-registry"):
            return []  # the same setting as a flag and in the file keeps Docker from starting
        return [Entry(INSECURE, engine.config_file, endpoint, endpoints, engines)]
    if not _has_authority(registry):
        return []
    path = os.path.join(locations.docker_certificates, endpoint, AUTHORITY)
    return [Entry(BLOCK, path, registry.ca or "", endpoints, engines)]


def _for_containers_library(engine: Engine, registry: RegistrySettings, locations: Locations) -> t.List[Entry]:
    """Podman and CRI-O read the same files: an authority at every pull, a drop-in CRI-O on SIGHUP only."""
    endpoints, engines = (str(registry.endpoint),), (engine.name,)
    text = registries_conf.drop_in(registry)
    if text is not None:
        path = os.path.join(locations.registries_drop_ins, registries_conf.drop_in_name(registry))
        return [Entry(BLOCK, path, text, endpoints, engines)]
    if not _has_authority(registry):
        return []
    path = os.path.join(locations.containers_certificates, str(registry.endpoint), AUTHORITY)
    return [Entry(BLOCK, path, registry.ca or "", endpoints, engines)]


def _has_authority(registry: RegistrySettings) -> bool:
    return registry.tls == VERIFIED and registry.ca is not None


def _merge(entries: t.List[Entry], entry: Entry) -> None:
    for index, other in enumerate(entries):
        if other.is_same_thing(entry):
            entries[index] = dataclasses.replace(
                other,
                endpoints=tuple(dict.fromkeys(other.endpoints + entry.endpoints)),
                engines=tuple(dict.fromkeys(other.engines + entry.engines)),
            )
            return
    entries.append(entry)
