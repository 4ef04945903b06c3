# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What a registry's host should be like, what it is like, and what lies between. Nothing here reads or writes anything."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.registry import host_container
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_authority import Authority
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_certificate import (
    Certificate,
    alternative_name,
    validity_fault,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_connections import Connections
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_data import Data
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_files import (
    ABSENT,
    FoundFile,
    WantedFile,
    differences,
    has_another_content,
    misplacement,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_garbage import Collecting
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_listeners import Listener
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_name import OwnName
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_program import Program
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_serving import Serving
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_units import Unit
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_users import (
    User,
    passwords_in_use,
    user_faults,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import PLAIN, RegistrySettings

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
    """What the role is asked for."""

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
    metrics_port: int = 0
    plain_too: bool = False
    anonymous_pull: bool = False
    other_users_stay: bool = False

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
    """What was found on the host; C(files) in the order of the wanted ones."""

    packages: t.Mapping[str, str]
    units: t.Mapping[str, Unit]
    files: t.Tuple[FoundFile, ...] = ()
    data: Data = dataclasses.field(default_factory=Data)
    certificate: t.Optional[Certificate] = None
    certificate_fault: str = ""
    authority: Authority = dataclasses.field(default_factory=Authority)
    user_differences: t.Tuple[str, ...] = ()
    listeners: t.Tuple[Listener, ...] = ()
    serving: Serving = dataclasses.field(default_factory=Serving)
    default_site: bool = False
    site_has_port: bool = False
    missing_addresses: t.Tuple[str, ...] = ()
    collecting: t.Optional[Collecting] = None
    connections: Connections = dataclasses.field(default_factory=Connections)
    program: Program = dataclasses.field(default_factory=Program)
    own_name: OwnName = dataclasses.field(default_factory=OwnName)
    container: host_container.Container = dataclasses.field(default_factory=host_container.Container)
    other_container: bool = False


@dataclasses.dataclass(frozen=True)
class Plan:
    """What there is to do, and why, in words."""

    differences: t.Tuple[str, ...] = ()
    install: bool = False
    mend_files: bool = False
    pull_image: bool = False
    stop_container: bool = False
    make_user: bool = False
    mend_data: bool = False
    remove_files: bool = False
    make_authority: bool = False
    take_authority_key: bool = False
    make_certificate: bool = False
    write_users: bool = False
    restart_registry: bool = False
    reload_nginx: bool = False
    mend_collect: bool = False
    mend_connections: bool = False
    mend_name: bool = False
    mask_packaged: bool = False

    @property
    def as_wanted(self) -> bool:
        return not self.differences


def plan(observed: Observed, wanted: Wanted) -> Plan:
    """Compare."""
    missing = [name for name in wanted.packages if name not in observed.packages]
    files = _file_differences(observed, wanted)
    certificate = _certificate_difference(observed, wanted)
    collect = observed.collecting.differences if observed.collecting else ()
    registry = _registry_differences(observed, wanted)
    nginx = _nginx_differences(observed, wanted)
    makes_user = not observed.data.has_user and PACKAGE not in missing
    said = [
        *("package %s is not installed" % name for name in missing),
        *(["image %s is not on this host" % observed.container.reference] if observed.container.lacks_image else []),
        *(difference for found in files.values() for difference in found),
        *(["there is no user %s" % observed.data.user] if makes_user else []),
        *observed.data.unwritable,
        *([certificate] if certificate else []),
        *observed.user_differences,
        *observed.connections.differences,
        *observed.own_name.differences,
        *([] if missing else registry + nginx),
        *collect,
    ]
    if observed.serving.fault and not said:
        said.append(observed.serving.fault)
    make_authority = wanted.certificate_origin == OWN and not observed.authority.pem
    renews = wanted.certificate_origin == OWN and bool(certificate)
    unit, packaged = observed.units[REGISTRY], observed.units[PACKAGED]
    other = host_container.what_else_runs(unit, observed.program, observed.container)
    return Plan(
        differences=tuple(said),
        install=bool(missing),
        mend_files=any(found for file, found in files.items() if file.kind != ABSENT),
        stop_container=unit.is_active and observed.other_container,
        pull_image=observed.container.lacks_image,
        make_user=makes_user,
        # the registry's user is made anew, whose number may be another than on the host that the images come from
        mend_data=bool(observed.data.unwritable) or ((bool(missing) or makes_user) and observed.data.stored),
        remove_files=any(found for file, found in files.items() if file.kind == ABSENT),
        make_authority=make_authority,
        take_authority_key=observed.authority.takes_key and renews,
        make_certificate=renews,
        mend_collect=bool(collect),
        mend_connections=observed.connections.to_mend,
        mask_packaged=not packaged.masked and (packaged.loaded or PACKAGE in missing),
        mend_name=observed.own_name.to_mend,
        write_users=bool(observed.user_differences),
        restart_registry=unit.is_active and bool(_runs_another_configuration(observed, wanted) or other),
        reload_nginx=renews
        or observed.connections.to_mend
        or not observed.units[NGINX].is_active
        or _nginx_is_stale(observed, wanted)
        or any(file.read_by == NGINX and has_another_content(file, found) for file, found in _pairs(observed, wanted)),
    )


def _pairs(observed: Observed, wanted: Wanted) -> t.Iterator[t.Tuple[WantedFile, FoundFile]]:
    return zip(wanted.files, observed.files)


def _file_differences(observed: Observed, wanted: Wanted) -> t.Dict[WantedFile, t.List[str]]:
    return {file: differences(file, found) for file, found in _pairs(observed, wanted)}


def _certificate_difference(observed: Observed, wanted: Wanted) -> str:
    """Why the role's own certificate is to be made (anew). A given one is either right or refused."""
    if wanted.certificate_origin != OWN:
        return ""
    if not observed.authority.pem:
        return "there is no certificate authority yet"
    if observed.authority.fault:
        return "the certificate cannot be held against its authority"
    if observed.certificate_fault:
        return "certificate: %s" % observed.certificate_fault
    if observed.certificate is None:
        return "there is no certificate yet"
    lacking = [name for name in wanted.subject_alt_names if name not in observed.certificate.subject_alt_names]
    if lacking:
        return "the certificate lacks %s" % ", ".join(lacking)
    surplus = [name for name in observed.certificate.subject_alt_names if name not in wanted.subject_alt_names]
    if surplus:
        return "the certificate is for %s too" % ", ".join(surplus)
    days = observed.certificate.days_left()
    return "the certificate expires in %d days" % days if days < wanted.renew_days else ""


def _registry_differences(observed: Observed, wanted: Wanted) -> t.List[str]:
    unit = observed.units[REGISTRY]
    found = _unit_differences(unit)
    if observed.units[PACKAGED].loaded:
        found.append("%s, which the package brings, is not masked" % PACKAGED)
    if unit.is_active and _runs_another_configuration(observed, wanted):
        found.append("%s runs another configuration" % unit.name)
    other = host_container.what_else_runs(unit, observed.program, observed.container)
    if unit.is_active and other:
        found.append("%s runs another %s is now" % (unit.name, other))
    return found


def _runs_another_configuration(observed: Observed, wanted: Wanted) -> bool:
    """The registry reads its files when it starts; one that was started after somebody had changed them runs with the change."""
    unit = observed.units[REGISTRY]
    return (
        unit.needs_daemon_reload
        or unit.environment.get(STAMP_VARIABLE) != wanted.configuration_stamp
        or any(
            file.read_by == REGISTRY and has_another_content(file, found) and found.changed_at <= unit.started_at
            for file, found in _pairs(observed, wanted)
        )
    )


def _nginx_differences(observed: Observed, wanted: Wanted) -> t.List[str]:
    unit = observed.units[NGINX]
    found = _unit_differences(unit)
    if unit.is_active and _nginx_is_stale(observed, wanted):
        found.append("nginx serves port %d by another configuration or certificate" % wanted.port)
    return found


def _nginx_is_stale(observed: Observed, wanted: Wanted) -> bool:
    """nginx reads its site and the certificate when it starts and reloads; the file of users at every request."""
    serving, certificate = observed.serving, observed.certificate
    return serving.stamp != wanted.site_stamp or (
        certificate is not None and serving.certificate != certificate.fingerprint
    )


def _unit_differences(unit: Unit) -> t.List[str]:
    found = []
    if unit.masked:
        return ["%s is masked" % unit.name]
    if not unit.loaded:
        return ["%s does not exist" % unit.name]
    if not unit.is_active:
        found.append("%s is %s%s" % (unit.name, unit.active, ", its log says: %s" % unit.log if unit.log else ""))
    if not unit.enabled:
        found.append("%s would not start with the host" % unit.name)
    return found


def obstacles(observed: Observed, wanted: Wanted) -> t.List[str]:
    """What must be put right by somebody before this host can be changed; each a sentence with its way out."""
    found = user_faults(wanted.users)
    if wanted.other_users_stay:
        found += passwords_in_use(wanted.users, observed.user_differences)
    if wanted.anonymous_pull and not wanted.users:
        found.append(
            "registry_anonymous_pull asks for a login to push and delete, and there is no user. Set registry_login or "
            "registry_users; without registry_anonymous_pull everybody may do everything."
        )
    if wanted.port in wanted.own_ports and any(address in ("0.0.0.0", "127.0.0.1") for address in wanted.addresses):
        found.append(
            "The registry's endpoint %s and the registry behind nginx would both have port %d. Set %s to "
            "another one." % (wanted.settings.endpoint, wanted.port, wanted.own_ports[wanted.port])
        )
    if wanted.backend_port == wanted.metrics_port:
        found.append(
            "registry_backend_port and registry_metrics_port are both %d. Set one of them to another port."
            % wanted.backend_port
        )
    found += [
        "This host has no address %s, on which registry_addresses wants nginx to listen. List addresses of the host."
        % address
        for address in observed.missing_addresses
    ]
    misplaced = (misplacement(file, there) for file, there in _pairs(observed, wanted))
    found += ["%s. Move it away, or set another place." % fault for fault in misplaced if fault]
    found += [
        "%s is masked on this host. If it is to serve the registry, unmask it (systemctl unmask %s)." % (name, name)
        for name, unit in observed.units.items()
        if unit.masked and name != PACKAGED
    ]
    found += [*observed.data.obstacles, *filter(None, [observed.container.fault])]
    found += observed.program.obstacles(PACKAGE in wanted.packages and PACKAGE not in observed.packages)
    found += observed.connections.faults
    found += observed.own_name.faults
    if observed.units[PACKAGED].is_active:
        found.append(
            "%s runs on this host already, with a configuration that this role did not write. Stop and disable it (systemctl "
            "disable --now %s), after which the role serves what is in registry_data; or put the registry on another host."
            % (PACKAGED, PACKAGED)
        )
    else:
        found += _ports_in_use(observed, wanted)
    if wanted.certificate_origin == OWN:
        has_to_sign = bool(_certificate_difference(observed, wanted))
        found += observed.authority.obstacles(wanted.settings.endpoint, wanted.settings.ca, has_to_sign)
        found += validity_fault(wanted.valid_days, wanted.renew_days)
    elif wanted.certificate_origin == GIVEN and observed.certificate_fault:
        found.append(
            "Registry %s cannot serve what registry_certificate has: %s."
            % (wanted.settings.endpoint, observed.certificate_fault)
        )
    return found


def _ports_in_use(observed: Observed, wanted: Wanted) -> t.List[str]:
    found = []
    for listener in observed.listeners:
        what = _taken_from_us(listener, observed, wanted)
        if what:
            found.append("Port %d of this host is in use by %s, and %s" % (listener.port, listener.named, what))
    return list(dict.fromkeys(found))


def _taken_from_us(listener: Listener, observed: Observed, wanted: Wanted) -> str:
    if listener.port == wanted.port and any(listener.is_in_the_way_of(address) for address in wanted.addresses):
        if listener.unit != NGINX:
            return "the registry's endpoint is %s. Stop that process, or give the endpoint another port." % (
                wanted.settings.endpoint
            )
        if not observed.serving.stamp and not observed.site_has_port:
            return (
                "it serves another site there ('nginx -T' shows which). Take that site away, or give the endpoint %s another "
                "port." % wanted.settings.endpoint
            )
    option = wanted.own_ports.get(listener.port)
    if (
        option
        and listener.port != wanted.port
        and (listener.unit != REGISTRY and listener.is_in_the_way_of("127.0.0.1"))
    ):
        return "the registry behind nginx needs it. Stop that process, or set %s to another port." % option
    if listener.port == 80 and listener.unit != NGINX and observed.default_site and not observed.units[NGINX].is_active:
        return (
            "nginx cannot start: the default site of its package wants that port. Stop that process; or install nginx, "
            "remove /etc/nginx/sites-enabled/default and run this again."
        )
    return ""


def warnings(observed: Observed, wanted: Wanted) -> t.List[str]:
    """What is as wanted and still has to be said."""
    endpoint = wanted.settings.endpoint
    found = []
    if wanted.settings.tls == PLAIN:
        found.append(
            "Registry %s speaks plain HTTP: passwords and images can be read and changed on the way." % endpoint
        )
    elif wanted.plain_too:
        found.append(
            "Registry %s answers plain HTTP beside TLS: passwords and images of clients that use it can be read and changed on "
            "the way. The playbook longshore.delivery.plain_to_tls ends it when no node needs it any more." % endpoint
        )
    if not wanted.users:
        found.append("Registry %s has no users: whoever reaches it can push and delete." % endpoint)
    certificate = observed.certificate
    if wanted.certificate_origin == GIVEN and certificate and certificate.days_left() < wanted.renew_days:
        found.append("The certificate given for registry %s expires in %d days." % (endpoint, certificate.days_left()))
    if wanted.certificate_origin == OWN:
        found += observed.authority.warnings(endpoint, wanted.renew_days)
    if observed.collecting:
        found += observed.collecting.warnings
    return found
