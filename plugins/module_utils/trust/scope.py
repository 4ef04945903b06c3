# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""From the wanted registries and a node's files to what a run is about: the entries, and what stands in their way."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.atomic import FileState
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import CONTAINERD, Engine
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.trust import (
    containerd_toml,
    observe,
    obstacle,
    told_for,
)
from ansible_collections.longshore.delivery.plugins.module_utils.trust.daemon_json import BrokenJson
from ansible_collections.longshore.delivery.plugins.module_utils.trust.entry import Entry
from ansible_collections.longshore.delivery.plugins.module_utils.trust.ledger import Ledger
from ansible_collections.longshore.delivery.plugins.module_utils.trust.locations import Locations
from ansible_collections.longshore.delivery.plugins.module_utils.trust.mirrors import Upstream
from ansible_collections.longshore.delivery.plugins.module_utils.trust.plan import Scope
from ansible_collections.longshore.delivery.plugins.module_utils.trust.toml_lines import TomlError
from ansible_collections.longshore.delivery.plugins.module_utils.trust.wanted import (
    wanted_entries,
    with_what_others_share,
)


class Scoped(t.NamedTuple):
    """What a run is about.

    :param remarks: what the user should know and does no harm.
    :param refusals: what stands in the way.
    :param files: the files that the plan looks at, as they are.
    """

    scope: Scope
    remarks: t.List[str]
    refusals: t.List[str]
    files: t.Dict[str, FileState]


def scope_of(
    engines: t.Sequence[Engine],
    registries: t.Sequence[RegistrySettings],
    mirrored: t.Sequence[Upstream],
    is_removal: bool,
    override: bool,
    ledger: Ledger,
    locations: Locations,
    purge: bool = False,
) -> Scoped:
    """Look at the files that matter for these engines and registries.

    :param mirrored: the registries that some of these are mirrors of.
    :param purge: whether what was written for other registries goes.
    :raises DeliveryError: a file cannot be read or understood.
    """
    endpoints = frozenset(str(registry.endpoint) for registry in registries)
    try:
        if is_removal:
            files = observe.read_files(ledger.records)
            remarks = [] if ledger.exists else _without_ledger(locations)
            entries = _with_shares([], engines, endpoints or None, ledger, [])
            told = told_for.without(ledger.told_for, endpoints or None)
            return Scoped(Scope(entries, endpoints or None, told), remarks, [], files)
        return _of_presence(engines, registries, mirrored, endpoints, override, ledger, locations, purge)
    except OSError as error:
        raise DeliveryError(
            "%s cannot be read: %s. Nothing was changed." % (error.filename, error.strerror or error)
        ) from None


def _of_presence(
    engines: t.Sequence[Engine],
    registries: t.Sequence[RegistrySettings],
    mirrored: t.Sequence[Upstream],
    endpoints: t.FrozenSet[str],
    override: bool,
    ledger: Ledger,
    locations: Locations,
    purge: bool,
) -> Scoped:
    refusals: t.List[str] = []
    hosts_directory = _hosts_directory(engines, locations, refusals)
    around = _surroundings(engines, registries, mirrored, hosts_directory, ledger, locations)
    by_others = {endpoint for endpoint in endpoints if obstacle.insecure_by_others(around, endpoint, locations)}
    wanted = wanted_entries(engines, registries, mirrored, hosts_directory, by_others, locations)
    told = told_for.after(ledger.told_for, registries, purge)
    about = None if purge else endpoints.union(name for name in ledger.told_for if name not in told)
    entries = _with_shares(wanted, engines, about, ledger, registries)
    files = observe.read_files([*ledger.records, *(entry.path for entry in entries)])
    remarks = []
    try:
        remarks += obstacle.remarks(engines, around, locations)
        for found in obstacle.obstacles(engines, registries, mirrored, hosts_directory, around, locations):
            (remarks if override and found.can_be_overridden else refusals).append(found.text)
    except (TomlError, BrokenJson):
        pass  # the plan says it, with file and line
    return Scoped(Scope(entries, about, told), remarks, refusals, files)


def _with_shares(
    entries: t.Sequence[Entry],
    engines: t.Sequence[Engine],
    endpoints: t.Optional[t.FrozenSet[str]],
    ledger: Ledger,
    described: t.Sequence[RegistrySettings],
) -> t.Tuple[Entry, ...]:
    written = [entry for record in ledger.records.values() for entry in record.entries]
    return tuple(with_what_others_share(entries, endpoints, {engine.name for engine in engines}, written, described))


def _hosts_directory(engines: t.Sequence[Engine], locations: Locations, refusals: t.List[str]) -> str:
    """The directory that containerd reads, or the first of those that it was meant to read, or the usual one."""
    for engine in engines:
        if engine.name != CONTAINERD:
            continue
        state = observe.read_files([engine.config_file]).get(engine.config_file)
        try:
            text = state.content.decode() if state is not None else ""
            if containerd_toml.cri_is_disabled(text):
                refusals.append(
                    "%s disables the CRI ('disabled_plugins'): nothing pulls through it. Take it out there, or leave "
                    "containerd out of "
                    "'engines'." % engine.config_file
                )
            table = containerd_toml.registry_table(text, engine.major)
        except (TomlError, containerd_toml.Refused, UnicodeDecodeError):
            break  # the plan says it, with file and line
        return table.directory(engine.major) or table.first_directory or locations.containerd_hosts
    return locations.containerd_hosts


def _surroundings(
    engines: t.Sequence[Engine],
    registries: t.Sequence[RegistrySettings],
    mirrored: t.Sequence[Upstream],
    hosts_directory: str,
    ledger: Ledger,
    locations: Locations,
) -> obstacle.Surroundings:
    patterns = [os.path.join(locations.registries_drop_ins, "*.conf"), *locations.registries_of_users]
    for engine in engines:
        patterns.append(engine.config_file)
        if engine.name == CONTAINERD:
            content = observe.read_contents([engine.config_file]).get(engine.config_file, b"")
            directory = os.path.dirname(engine.config_file)
            try:
                imports = containerd_toml.imports(content.decode("utf-8", "replace"))
            except TomlError:
                imports = []
            patterns += [os.path.join(directory, pattern) for pattern in imports]
    directories = []
    named = [registry.endpoint for registry in registries] + [upstream.endpoint for upstream in mirrored]
    for endpoint in dict.fromkeys(named):
        for parent in (hosts_directory, locations.docker_certificates, locations.containers_certificates):
            directories.append(os.path.join(parent, str(endpoint)))
        shadow = obstacle.shadow_of(endpoint, hosts_directory)
        directories += [shadow] if shadow is not None else []
    return obstacle.Surroundings(
        observe.list_directories(directories), observe.read_contents(patterns), frozenset(ledger.records)
    )


def _without_ledger(locations: Locations) -> t.List[str]:
    return [
        "There is no ledger %s on this node: this collection has written nothing here that it knows of, and takes "
        "nothing away." % locations.ledger
    ]
