# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What stands in the way on a registry's host, and what is to be said of one that is as wanted."""

from __future__ import annotations

import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.counted import counted
from ansible_collections.longshore.delivery.plugins.module_utils.registry import host_data, host_instances, host_s3
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_certificate import (
    validity_fault,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_files import (
    misplacement,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_listeners import Listener
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_plan import (
    certificate_difference,
    runs_another_configuration,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_state import (
    GIVEN,
    NGINX,
    OWN,
    PACKAGE,
    PACKAGED,
    Observed,
    Wanted,
    pairs,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_upstream import Upstream
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_users import (
    passwords_in_use,
    user_faults,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import PLAIN


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
    elif observed.users_in_use and not (wanted.users or wanted.without_users or wanted.upstream):
        found.append(
            "Registry %s asks for a login to push and delete (%s, %s among them), and neither registry_login nor "
            "registry_users names anybody any more: whoever reaches it could do both. Give the users again; if that is meant, "
            "set registry_without_users to true."
            % (wanted.settings.endpoint, counted(len(observed.users_in_use), "user"), observed.users_in_use[0])
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
    ports = {wanted.port: "registry_endpoint", **wanted.own_ports}
    found += host_instances.conflicts(observed.instances, ports, wanted.data)
    found += [
        "This host has no address %s, on which registry_addresses wants nginx to listen. List addresses of the host."
        % address
        for address in observed.missing_addresses
    ]
    misplaced = (misplacement(file, there) for file, there in pairs(observed, wanted))
    found += ["%s. Move it away, or set another place." % fault for fault in misplaced if fault]
    found += [
        "%s is masked on this host. If it is to serve the registry, unmask it (systemctl unmask %s)." % (name, name)
        for name, unit in observed.units.items()
        if unit.masked and name != PACKAGED
    ]
    found += [*observed.data.obstacles, *filter(None, [observed.container.fault, observed.volume.fault])]
    found += observed.program.obstacles(PACKAGE in wanted.packages and PACKAGE not in observed.packages)
    found += observed.connections.faults
    found += observed.own_name.faults
    found += observed.firewall.faults
    found += wanted.bucket.obstacles if wanted.bucket else []
    found += host_s3.obstacle(wanted.bucket, observed.storage, not runs_another_configuration(observed, wanted))
    if wanted.upstream:
        found += _of_a_cache(wanted.upstream, observed, wanted)
    if observed.units[PACKAGED].is_active:
        found.append(
            "%s runs on this host already, with a configuration that this role did not write. Stop and disable it (systemctl "
            "disable --now %s), after which the role serves what is in registry_data; or put the registry on another host."
            % (PACKAGED, PACKAGED)
        )
    else:
        found += _ports_in_use(observed, wanted)
    if wanted.certificate_origin == OWN:
        has_to_sign = bool(certificate_difference(observed, wanted))
        found += observed.authority.obstacles(wanted.settings.endpoint, wanted.settings.ca, has_to_sign)
        found += validity_fault(wanted.valid_days, wanted.renew_days)
    elif wanted.certificate_origin == GIVEN and observed.certificate_fault:
        found.append(
            "Registry %s cannot serve what registry_certificate has: %s."
            % (wanted.settings.endpoint, observed.certificate_fault)
        )
    return found


def _of_a_cache(upstream: Upstream, observed: Observed, wanted: Wanted) -> t.List[str]:
    endpoint = wanted.settings.endpoint
    known = observed.program.version or ("v2.8" if PACKAGE in wanted.packages else "")
    found = upstream.faults(known)
    if observed.collecting and observed.collecting.wanted:
        found.append(
            "registry_collect is set, and %s is a cache, which removes by itself what it fetched. Leave registry_collect empty."
            % endpoint
        )
    if wanted.bucket:
        found.append(
            "registry_s3 is set, and %s is a cache, which keeps what it fetched on its host. Leave registry_s3 away."
            % endpoint
        )
    if observed.own_name.address:
        found.append(
            "registry_node_address is set, and %s is a cache, which fetches by itself what it is asked for. Leave it empty: each "
            "host can have a cache with an endpoint of its own." % endpoint
        )
    return found


def _ports_in_use(observed: Observed, wanted: Wanted) -> t.List[str]:
    found = []
    theirs = {port for other in observed.instances for port in other.ports}  # which is said already
    for listener in observed.listeners:
        if listener.port in theirs:
            continue
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
        and (listener.unit != wanted.unit and listener.is_in_the_way_of("127.0.0.1"))
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
    found = host_s3.warnings(wanted.bucket, observed.units[wanted.unit], observed.storage, str(endpoint))
    found += host_data.warnings(observed.data, str(endpoint))
    if wanted.settings.tls == PLAIN:
        found.append(
            "Registry %s speaks plain HTTP: passwords and images can be read and changed on the way." % endpoint
        )
    elif wanted.plain_too:
        found.append(
            "Registry %s answers plain HTTP beside TLS: passwords and images of clients that use it can be read and changed on "
            "the way. The playbook longshore.delivery.plain_to_tls ends it when no node needs it any more." % endpoint
        )
    if observed.site_is_plain and wanted.settings.tls != PLAIN and not wanted.plain_too:
        found.append(
            "Registry %s speaks plain HTTP until this run, and TLS alone after it: a node that is not told of it before cannot "
            "pull until its trust is set. The playbook longshore.delivery.plain_to_tls changes both with no failed pull."
            % endpoint
        )
    if not wanted.users and not wanted.upstream:
        found.append("Registry %s has no users: whoever reaches it can push and delete." % endpoint)
    if wanted.upstream:
        found += _said_of_a_cache(wanted.upstream, wanted)
    certificate = observed.certificate
    if wanted.certificate_origin == GIVEN and certificate and certificate.days_left() < wanted.renew_days:
        found.append("The certificate given for registry %s expires in %d days." % (endpoint, certificate.days_left()))
    if wanted.certificate_origin == OWN:
        found += observed.authority.warnings(endpoint, wanted.renew_days)
    if observed.collecting:
        found += observed.collecting.warnings
    found += observed.firewall.warnings(str(endpoint))
    return found


def _said_of_a_cache(upstream: Upstream, wanted: Wanted) -> t.List[str]:
    found, endpoint, of = [], wanted.settings.endpoint, upstream.settings
    if of.username and (not wanted.users or wanted.anonymous_pull):
        found.append(
            "Cache %s asks nobody for a login: whoever reaches it can pull all that user %r may pull from %s."
            % (endpoint, of.username, of.endpoint)
        )
    if of.tls == PLAIN:
        found.append(
            "Cache %s speaks plain HTTP to %s: its password and the images can be read and changed on the way."
            % (endpoint, of.endpoint)
        )
    return found
