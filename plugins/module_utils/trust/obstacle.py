# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What stands in the way on a node: settings of others that would undo, hide or break what is to be written. Pure."""

from __future__ import annotations

import contextlib
import dataclasses
import fnmatch
import os
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import (
    CONTAINERD,
    DOCKER,
    PODMAN,
    Engine,
)
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Endpoint
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import VERIFIED, RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.trust import (
    containerd_toml,
    daemon_json,
    registries_conf,
)
from ansible_collections.longshore.delivery.plugins.module_utils.trust.locations import Locations
from ansible_collections.longshore.delivery.plugins.module_utils.trust.mirrors import DOCKER_HUB, Upstream
from ansible_collections.longshore.delivery.plugins.module_utils.trust.toml_lines import TomlError
from ansible_collections.longshore.delivery.plugins.module_utils.trust.wanted import CERTIFICATES, HOSTS


@dataclasses.dataclass(frozen=True)
class Surroundings:
    """Files and directories around those that are written.

    :param names: the names in a directory; a directory that is not there is not in it.
    :param contents: the contents of files; one that is not there is not in it.
    :param owned: paths of files in the ledger.
    """

    names: t.Mapping[str, t.Sequence[str]]
    contents: t.Mapping[str, bytes]
    owned: t.FrozenSet[str]


@dataclasses.dataclass(frozen=True)
class Obstacle:
    """:param can_be_overridden: whether C(override) goes on in spite of it."""

    text: str
    can_be_overridden: bool


def obstacles(
    engines: t.Sequence[Engine],
    registries: t.Sequence[RegistrySettings],
    mirrored: t.Sequence[Upstream],
    hosts_directory: str,
    around: Surroundings,
    locations: Locations,
) -> t.List[Obstacle]:
    """Everything that stands in the way, so that the user sees it at once."""
    found: t.List[Obstacle] = []
    for engine in engines:
        for registry in registries:
            if registry.tls == VERIFIED and registry.ca is None and registry.client is None:
                continue
            if engine.name == CONTAINERD:
                found += _of_containerd(registry.endpoint, hosts_directory, around)
            elif engine.name == DOCKER:
                found += _of_docker(engine, registry)
            else:
                found += _of_containers_library(registry, around, locations)
        for upstream in mirrored:
            if engine.name == CONTAINERD:
                found += _of_containerd(upstream.endpoint, hosts_directory, around)
            elif engine.name == DOCKER:
                found += _of_dockers_mirrors(engine, upstream)
            else:
                found += _of_drop_ins(upstream.endpoint, None, around, locations)
        if engine.name == CONTAINERD:
            found += _of_imports(engine, around)
    return list(dict.fromkeys(found))


def shadow_of(endpoint: Endpoint, hosts_directory: str) -> t.Optional[str]:
    """The directory that containerd reads in the place of 'HOST:PORT' where it is there: 'HOST_PORT_', with an IPv6 host in
    its brackets. There is none without a port.
    """
    if endpoint.port is None:
        return None
    host = str(dataclasses.replace(endpoint, port=None)) if ":" in endpoint.host else endpoint.host
    return os.path.join(hosts_directory, "%s_%d_" % (host, endpoint.port))


def insecure_by_others(around: Surroundings, endpoint: str, locations: Locations) -> bool:
    """Whether somebody else's drop-in already says what the collection's would."""
    for path, content in around.contents.items():
        if os.path.dirname(path) == locations.registries_drop_ins and path not in around.owned:
            with contextlib.suppress(TomlError):
                entry = registries_conf.entry_of(content.decode("utf-8", "replace"), endpoint)
                if entry is not None and registries_conf.is_insecure(entry):
                    return True
    return False


def remarks(engines: t.Sequence[Engine], around: Surroundings, locations: Locations) -> t.List[str]:
    """What does no harm to what is written and surely was not meant."""
    found = []
    for engine in engines:
        content = around.contents.get(engine.config_file)
        if engine.name == DOCKER and content and daemon_json.MISSPELT in daemon_json.document(content):
            found.append(
                "%s has the key %r, which Docker ignores; it is called %r."
                % (engine.config_file, daemon_json.MISSPELT, daemon_json.INSECURE)
            )
        for path in sorted(around.contents) if engine.name == PODMAN else ():
            if any(fnmatch.fnmatch(path, pattern) for pattern in locations.registries_of_users):
                found.append(
                    "%s hides /etc/containers/registries.conf and its drop-ins from Podman, Buildah and Skopeo of that user. "
                    "What is written for mirrors, plain HTTP and unverified TLS does not count there; an authority does."
                    % path
                )
    return found


def _of_containerd(endpoint: Endpoint, hosts_directory: str, around: Surroundings) -> t.List[Obstacle]:
    found = []
    shadow = shadow_of(endpoint, hosts_directory)
    if shadow in around.names:
        found.append(Obstacle("containerd reads %s instead of %s: remove it." % (shadow, endpoint), False))
    directory = os.path.join(hosts_directory, str(endpoint))
    names = around.names.get(directory, ())
    foreign = [name for name in names if os.path.join(directory, name) not in around.owned]
    certificates = [name for name in foreign if name.endswith((".crt", ".cert", ".key")) and name not in CERTIFICATES]
    if certificates and HOSTS not in names:
        text = "containerd reads %s in %s as long as there is no hosts.toml; with one it no longer does"
        found.append(Obstacle((text + ".") % (", ".join(sorted(certificates)), directory), True))
    return found


def _of_imports(engine: Engine, around: Surroundings) -> t.List[Obstacle]:
    """An imported file that speaks of the CRI: 1.6 and 1.7 take its table instead of the file's own, 2.x merges it
    over.
    """
    content = around.contents.get(engine.config_file, b"")
    patterns = containerd_toml.imports(content.decode("utf-8", "replace")) if content else []
    directory = os.path.dirname(engine.config_file)
    found = []
    for path, imported in sorted(around.contents.items()):
        if not any(fnmatch.fnmatch(path, os.path.join(directory, pattern)) for pattern in patterns):
            continue
        if containerd_toml.speaks_of_registries(imported.decode("utf-8", "replace"), engine.major):
            text = (
                "%s imports %s, whose table of the CRI counts instead: set config_path there, or move that table to %s."
            )
            found.append(Obstacle(text % (engine.config_file, path, engine.config_file), False))
    return found


def _of_docker(engine: Engine, registry: RegistrySettings) -> t.List[Obstacle]:
    if registry.tls == VERIFIED or engine.daemon is None:
        return []
    flags = engine.daemon.flags("--insecure-registry")
    if not flags or str(registry.endpoint) in flags:
        return []
    text = (
        "Docker runs with --insecure-registry=%s and does not start with the same setting in %s: add %s to the flags, "
        "or move them "
        "to the file."
    )
    return [Obstacle(text % (flags[-1], engine.config_file, registry.endpoint), False)]


def _of_dockers_mirrors(engine: Engine, upstream: Upstream) -> t.List[Obstacle]:
    flags = engine.daemon.flags("--registry-mirror") if engine.daemon is not None else []
    mirrors = [mirror for mirror in upstream.mirrors if not mirror.path_for(upstream.endpoint)]
    urls = ["%s://%s" % (mirror.scheme, mirror.endpoint) for mirror in mirrors]
    missing = [url for url in urls if url not in flags]
    if upstream.endpoint != DOCKER_HUB or not flags or not missing:
        return []
    text = (
        "Docker runs with --registry-mirror=%s and does not start with the same setting in %s: add %s to the flags, or move "
        "them to the file."
    )
    return [Obstacle(text % (flags[-1], engine.config_file, missing[0]), False)]


def _of_containers_library(registry: RegistrySettings, around: Surroundings, locations: Locations) -> t.List[Obstacle]:
    endpoint = str(registry.endpoint)
    if registry.tls == VERIFIED:
        ours = os.path.join(locations.containers_certificates, endpoint)
        theirs = os.path.join(locations.docker_certificates, endpoint)
        hidden = [
            name
            for name in around.names.get(theirs, ())
            if os.path.join(theirs, name) not in around.owned and name not in CERTIFICATES
        ]
        if hidden and ours not in around.names:
            text = "Podman and CRI-O read %s in %s as long as there is no %s; move what they need of it there."
            return [Obstacle(text % (", ".join(sorted(hidden)), theirs, ours), True)]
        return []
    return _of_drop_ins(registry.endpoint, registries_conf.is_insecure, around, locations)


def _of_drop_ins(
    endpoint: Endpoint,
    will_do: t.Optional[t.Callable[[t.Mapping[str, str]], bool]],
    around: Surroundings,
    locations: Locations,
) -> t.List[Obstacle]:
    """Entries for a registry in others' drop-ins.

    :param will_do: tells of an entry whether it says what is wanted; None where none can.
    """
    found = []
    for path, content in sorted(around.contents.items()):
        is_drop_in = os.path.dirname(path) == locations.registries_drop_ins
        is_ours = os.path.basename(path) == registries_conf.drop_in_name(endpoint) or path in around.owned
        if is_ours or not is_drop_in:
            continue
        try:
            entry = registries_conf.entry_of(content.decode("utf-8", "replace"), str(endpoint))
            if entry is not None and not (will_do and will_do(entry)):
                text = "%s has an entry for %s, and one file's entry replaces another's as a whole: %s."
                way_out = "set 'insecure' there" if will_do else "move what it says, or write the mirrors there"
                found.append(Obstacle(text % (path, endpoint, way_out), True))
        except TomlError as error:
            found.append(
                Obstacle("%s, %s. It breaks every pull of Podman and CRI-O: mend or remove it." % (path, error), False)
            )
    return found
