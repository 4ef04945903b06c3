# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""A registry's host as it is asked for, and as it was found."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.registry import host_container, host_upstream
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_authority import Authority
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_certificate import (
    Certificate,
    alternative_name,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_connections import Connections
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_data import Data
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_files import (
    FoundFile,
    WantedFile,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_firewall import Firewall
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_garbage import Collecting
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_instances import Instance
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_listeners import Listener
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_name import OwnName
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_program import Program
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_s3 import Bucket, Storage
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_serving import Serving
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_units import Unit
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_users import (
    User,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_volume import Volume
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings

NGINX = "nginx.service"
REGISTRY = "longshore-registry.service"
# of the package: its configuration listens everywhere, and prints a password where it has no users
PACKAGE, PACKAGED = "docker-registry", "docker-registry.service"
STAMP_VARIABLE = "LONGSHORE_REGISTRY_CONFIGURATION"
OWN = "own"
GIVEN = "given"
NONE = "none"


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What the role is asked for.

    :param unit: that of the registry.
    :param data: the directory of its images; empty where they are in none.
    :param upstream: of a pull-through cache.
    """

    settings: RegistrySettings
    names: t.Tuple[str, ...]
    addresses: t.Tuple[str, ...]
    port: int
    backend_port: int
    packages: t.Tuple[str, ...]
    files: t.Tuple[WantedFile, ...]
    site_stamp: str
    configuration_stamp: str
    users: t.Tuple[User, ...]
    certificate_origin: str
    renew_days: int
    valid_days: int
    another_certificate: bool = False
    metrics_port: int = 0
    plain_too: bool = False
    anonymous_pull: bool = False
    other_users_stay: bool = False
    without_users: bool = False
    unit: str = REGISTRY
    data: str = ""
    bucket: t.Optional[Bucket] = None
    upstream: t.Optional[host_upstream.Upstream] = None

    @property
    def own_ports(self) -> t.Dict[int, str]:
        """The ports of 127.0.0.1 that the registry itself has, with the role's options for them."""
        options = {self.backend_port: "registry_backend_port", self.metrics_port: "registry_metrics_port"}
        return {port: option for port, option in options.items() if port}

    @property
    def ports(self) -> t.Tuple[int, ...]:
        """Every port that matters, each once; the default site of nginx has 80."""
        return tuple(dict.fromkeys((self.port, *self.own_ports, 80)))

    @property
    def subject_alt_names(self) -> t.Tuple[str, ...]:
        """Every name and address that clients use, each once, as a certificate has them."""
        names = (self.settings.endpoint.host, *self.names)
        return tuple(dict.fromkeys(alternative_name(name) for name in names))


@dataclasses.dataclass(frozen=True)
class Observed:
    """What was found on the host; C(files) in the order of the wanted ones, C(instances) the registries beside this one.

    :param users_in_use: who can log in until now, where no users are wanted.
    :param generator: what makes the registry's unit of a quadlet; empty where it is to be a unit of the role's own.
    """

    packages: t.Mapping[str, str]
    units: t.Mapping[str, Unit]
    files: t.Tuple[FoundFile, ...] = ()
    data: Data = dataclasses.field(default_factory=Data)
    certificate: t.Optional[Certificate] = None
    certificate_fault: str = ""
    authority: Authority = dataclasses.field(default_factory=Authority)
    user_differences: t.Tuple[str, ...] = ()
    users_in_use: t.Tuple[str, ...] = ()
    listeners: t.Tuple[Listener, ...] = ()
    serving: Serving = dataclasses.field(default_factory=Serving)
    default_site: bool = False
    site_has_port: bool = False
    site_is_plain: bool = False
    missing_addresses: t.Tuple[str, ...] = ()
    collecting: t.Optional[Collecting] = None
    connections: Connections = dataclasses.field(default_factory=Connections)
    program: Program = dataclasses.field(default_factory=Program)
    own_name: OwnName = dataclasses.field(default_factory=OwnName)
    container: host_container.Container = dataclasses.field(default_factory=host_container.Container)
    other_container: bool = False
    volume: Volume = dataclasses.field(default_factory=Volume)
    generator: str = ""
    instances: t.Tuple[Instance, ...] = ()
    firewall: Firewall = dataclasses.field(default_factory=Firewall)
    storage: Storage = dataclasses.field(default_factory=Storage)


def pairs(observed: Observed, wanted: Wanted) -> t.Iterator[t.Tuple[WantedFile, FoundFile]]:
    """Every wanted file beside what was found of it."""
    return zip(wanted.files, observed.files)
