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
from ansible_collections.longshore.delivery.plugins.module_utils.trust import hosts_toml, mirrors, registries_conf
from ansible_collections.longshore.delivery.plugins.module_utils.trust.entry import (
    BLOCK,
    DIRECTORY,
    INSECURE,
    MIRROR,
    Entry,
)
from ansible_collections.longshore.delivery.plugins.module_utils.trust.locations import Locations
from ansible_collections.longshore.delivery.plugins.module_utils.trust.mirrors import (
    DOCKER_HUB,
    Share,
    Upstream,
    sharers,
    united,
)

# what is shown to a registry that asks for a certificate: engines take each *.cert of a host's directory with the *.key beside it
_CLIENT_CERTIFICATE, _CLIENT_KEY = "longshore.cert", "longshore.key"
_AUTHORITY = "longshore.crt"  # every engine reads all *.crt of a host's directory, so that ours stands beside others'
CERTIFICATES = (_AUTHORITY, _CLIENT_CERTIFICATE, _CLIENT_KEY)
HOSTS = "hosts.toml"


def wanted_entries(
    engines: t.Sequence[Engine],
    registries: t.Sequence[RegistrySettings],
    mirrored: t.Sequence[Upstream],
    hosts_directory: str,
    insecure_by_others: t.Container[str],
    locations: Locations,
) -> t.List[Entry]:
    """The entries for these engines and registries; one for several engines where they read the same file.

    :param mirrored: the registries that some of these are mirrors of.
    :param hosts_directory: the directory that containerd reads, or is to read.
    :param insecure_by_others: endpoints for which somebody else's drop-in of containers-registries.conf already says
        it.
    """
    entries: t.List[Entry] = []
    upstreams = {upstream.endpoint: upstream for upstream in mirrored}
    others = [upstream.settings for upstream in mirrored if upstream.itself is None]
    for engine in engines:
        for registry in [*registries, *others]:
            upstream = upstreams.get(registry.endpoint)
            if engine.name == CONTAINERD:
                found = _for_containerd(engine, registry, upstream, hosts_directory)
            elif engine.name == DOCKER:
                found = _for_docker(engine, registry, upstream, locations)
            else:
                found = _for_containers_library(engine, registry, upstream, locations)
                if str(registry.endpoint) in insecure_by_others and upstream is None:
                    found = [entry for entry in found if os.path.basename(entry.path) in CERTIFICATES]
            for entry in found:
                _merge(entries, entry)
    return entries


def _for_containerd(
    engine: Engine, registry: RegistrySettings, upstream: t.Optional[Upstream], hosts_directory: str
) -> t.List[Entry]:
    def files_of(one: RegistrySettings) -> hosts_toml.Files:
        directory = os.path.join(hosts_directory, str(one.endpoint))
        client = os.path.join(directory, _CLIENT_CERTIFICATE), os.path.join(directory, _CLIENT_KEY)
        authority = os.path.join(directory, _AUTHORITY) if _has_authority(one) else None
        return hosts_toml.Files(authority, client if one.client else None)

    shares = list(hosts_toml.shares(registry, files_of(registry)))
    if upstream is not None:
        shares.append(hosts_toml.share_for_mirrors(upstream))
        shares += [
            hosts_toml.share_of_mirror(mirror, files_of(mirror), mirror.path_for(upstream.endpoint))
            for mirror in upstream.mirrors
        ]
    if not shares:
        return []
    parts, engines = united(shares, ()), (engine.name,)
    entries = [Entry(DIRECTORY, engine.config_file, hosts_directory, sharers(parts), engines, major=engine.major)]
    entries += _certificates(registry, hosts_directory, engines)
    path = os.path.join(hosts_directory, str(registry.endpoint), HOSTS)
    entries.append(
        Entry(BLOCK, path, hosts_toml.text(parts), sharers(parts), engines, shares=parts if upstream else ())
    )
    return entries


def _for_docker(
    engine: Engine, registry: RegistrySettings, upstream: t.Optional[Upstream], locations: Locations
) -> t.List[Entry]:
    """Docker knows mirrors of Docker Hub alone, and asks Docker Hub after them."""
    endpoint = str(registry.endpoint)
    endpoints, engines = (endpoint,), (engine.name,)
    entries = []
    for mirror in upstream.mirrors if upstream is not None and upstream.endpoint == DOCKER_HUB else ():
        if upstream is not None and mirror.path_for(upstream.endpoint):
            continue  # it asks a mirror for the upstream's own names alone
        url = "%s://%s" % (mirror.scheme, mirror.endpoint)
        if engine.daemon is None or url not in engine.daemon.flags("--registry-mirror"):
            entries.append(Entry(MIRROR, engine.config_file, url, (str(mirror.endpoint),), engines))
    # the same setting as a flag and in the file keeps Docker from starting
    is_flag = engine.daemon is not None and endpoint in engine.daemon.flags("--insecure-registry")
    if registry.tls != VERIFIED and not is_flag:
        entries.append(Entry(INSECURE, engine.config_file, endpoint, endpoints, engines))
    return [*entries, *_certificates(registry, locations.docker_certificates, engines)]


def _for_containers_library(
    engine: Engine, registry: RegistrySettings, upstream: t.Optional[Upstream], locations: Locations
) -> t.List[Entry]:
    """Podman and CRI-O read the same files: an authority at every pull, a drop-in CRI-O on SIGHUP only."""
    engines, entries = (engine.name,), []
    shares = list(registries_conf.shares(registry))
    if upstream is not None:
        shares.append(registries_conf.share_for_mirrors(upstream))
        shares += [
            registries_conf.share_of_mirror(mirror, mirror.path_for(upstream.endpoint)) for mirror in upstream.mirrors
        ]
    if shares:
        parts = united(shares, ())
        path = os.path.join(locations.registries_drop_ins, registries_conf.drop_in_name(registry.endpoint))
        entries.append(
            Entry(BLOCK, path, registries_conf.text(parts), sharers(parts), engines, shares=parts if upstream else ())
        )
    return [*entries, *_certificates(registry, locations.containers_certificates, engines)]


def _certificates(registry: RegistrySettings, parent: str, engines: t.Tuple[str, ...]) -> t.List[Entry]:
    """What stands in the registry's directory below C(parent), whose name is the same for all engines."""
    found = [(_AUTHORITY, registry.ca or "", 0o644)] if _has_authority(registry) else []
    if registry.client:
        found.append((_CLIENT_CERTIFICATE, registry.client.certificate, 0o644))
        found.append((_CLIENT_KEY, registry.client.key, 0o600))
    endpoint = str(registry.endpoint)
    return [
        Entry(BLOCK, os.path.join(parent, endpoint, name), text, (endpoint,), engines, mode)
        for name, text, mode in found
    ]


def with_what_others_share(
    entries: t.Sequence[Entry],
    endpoints: t.Optional[t.FrozenSet[str]],
    engines: t.Container[str],
    written: t.Iterable[Entry],
    described: t.Sequence[RegistrySettings],
) -> t.List[Entry]:
    """The entries, those of several registries with the shares that stay of registries that a run is not about.

    :param endpoints: the registries that it is about; None for all.
    :param engines: those that it is about; what others read stays, too.
    :param written: the entries that are there already.
    :param described: the registries that it describes whole: they have no mirrors but those that it names.
    """
    found = list(entries)
    whole = {str(registry.endpoint) for registry in described}
    whole.update(registries_conf.drop_in_name(registry.endpoint) for registry in described)
    for there in written:
        index = next((i for i, entry in enumerate(found) if (entry.kind, entry.path) == (BLOCK, there.path)), None)
        made = there if index is None else found[index]
        if there.kind != BLOCK or not (there.shares or made.shares):
            continue
        is_read_by_others = any(name not in engines for name in there.engines)
        left = [
            share
            for share in _shares_of(there)
            if is_read_by_others or (endpoints is not None and share.endpoint not in endpoints)
        ]
        if whole.intersection(_names_of(there.path)):
            left = [share for share in left if share.place in (mirrors.HEAD, mirrors.TAIL)]
        parts = united(() if index is None else _shares_of(made), left)
        if not sharers(parts):
            continue
        text = (hosts_toml if os.path.basename(there.path) == HOSTS else registries_conf).text(parts)
        readers = tuple(dict.fromkeys([*made.engines, *there.engines]))
        is_mirrored = any(share.place == mirrors.MIRROR for share in parts)
        made = dataclasses.replace(
            made, value=text, endpoints=sharers(parts), engines=readers, shares=parts if is_mirrored else ()
        )
        if index is None:
            found.append(made)
        else:
            found[index] = made
    return found


def _names_of(path: str) -> t.Tuple[str, str]:
    """Its directory's name, which is the upstream for containerd, and its own, which stands for it elsewhere."""
    return os.path.basename(os.path.dirname(path)), os.path.basename(path)


def _shares_of(entry: Entry) -> t.Tuple[Share, ...]:
    """What a text is made of, which is not kept of those without a mirror."""
    if entry.shares or entry.kind != BLOCK:
        return entry.shares
    (endpoint,) = entry.endpoints[:1]
    head, header, tail = entry.value.partition("\n[host.")
    if os.path.basename(entry.path) == HOSTS and header:
        return Share(endpoint, mirrors.HEAD, head), Share(endpoint, mirrors.TAIL, header[1:] + tail)
    return (Share(endpoint, mirrors.HEAD, entry.value),)


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
