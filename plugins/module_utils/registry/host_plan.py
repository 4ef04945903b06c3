# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What lies between a registry's host as it is wanted and as it was found. Nothing here reads or writes anything."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.registry import host_container, host_s3
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_files import (
    ABSENT,
    WantedFile,
    differences,
    has_another_content,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_state import (
    NGINX,
    OWN,
    PACKAGE,
    PACKAGED,
    STAMP_VARIABLE,
    Observed,
    Wanted,
    pairs,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_units import Unit


@dataclasses.dataclass(frozen=True)
class Plan:
    """What there is to do, and why, in words."""

    differences: t.Tuple[str, ...] = ()
    install: bool = False
    mend_files: bool = False
    pull_image: bool = False
    make_volume: bool = False
    stop_container: bool = False
    make_user: bool = False
    mend_data: bool = False
    remove_files: bool = False
    make_authority: bool = False
    take_authority_key: bool = False
    make_certificate: bool = False
    make_key: bool = False
    write_users: bool = False
    restart_registry: bool = False
    reload_nginx: bool = False
    mend_collect: bool = False
    mend_connections: bool = False
    mend_name: bool = False
    mend_firewall: bool = False
    mask_packaged: bool = False

    @property
    def as_wanted(self) -> bool:
        return not self.differences


def plan(observed: Observed, wanted: Wanted) -> Plan:
    """Compare."""
    missing = [name for name in wanted.packages if name not in observed.packages]
    files = _file_differences(observed, wanted)
    certificate = certificate_difference(observed, wanted)
    collect = observed.collecting.differences if observed.collecting else ()
    registry = _registry_differences(observed, wanted)
    nginx = _nginx_differences(observed, wanted)
    makes_user = not observed.data.has_user and PACKAGE not in missing
    said = [
        *("package %s is not installed" % name for name in missing),
        *(["image %s is not on this host" % observed.container.reference] if observed.container.lacks_image else []),
        *observed.volume.differences,
        *(difference for found in files.values() for difference in found),
        *(["there is no user %s" % observed.data.user] if makes_user else []),
        *observed.data.unwritable,
        *([certificate] if certificate else []),
        *observed.user_differences,
        *observed.connections.differences,
        *observed.own_name.differences,
        *observed.firewall.differences,
        *([] if missing else registry + nginx),
        *collect,
    ]
    if observed.serving.fault and not said:
        # one that ends again and again is run by systemd again and again, and may be met while it runs
        crashed = [unit for unit in observed.units.values() if unit.is_active and unit.log]
        said.append(
            "; ".join(
                [
                    observed.serving.fault,
                    *("%s has ended and was run again, its log says: %s" % (unit.name, unit.log) for unit in crashed),
                ]
            )
        )
    make_authority = wanted.certificate_origin == OWN and not observed.authority.pem
    renews = wanted.certificate_origin == OWN and bool(certificate)
    unit, packaged = observed.units[wanted.unit], observed.units[PACKAGED]
    other = host_container.what_else_runs(unit, observed.program, observed.container)
    return Plan(
        differences=tuple(said),
        install=bool(missing),
        mend_files=any(found for file, found in files.items() if file.kind != ABSENT),
        stop_container=unit.is_active and observed.other_container,
        pull_image=observed.container.lacks_image,
        make_volume=observed.volume.to_make,
        make_user=makes_user,
        # the registry's user is made anew, whose number may be another than on the host that the images come from
        mend_data=bool(observed.data.unwritable) or ((bool(missing) or makes_user) and observed.data.stored),
        remove_files=any(found for file, found in files.items() if file.kind == ABSENT),
        make_authority=make_authority,
        take_authority_key=observed.authority.takes_key and renews,
        make_certificate=renews,
        make_key=renews and wanted.another_certificate,
        mend_collect=bool(collect),
        mend_connections=observed.connections.to_mend,
        mask_packaged=not packaged.masked and (packaged.loaded or PACKAGE in missing),
        mend_name=observed.own_name.to_mend,
        mend_firewall=bool(observed.firewall.differences),
        write_users=bool(observed.user_differences),
        restart_registry=unit.is_active and bool(runs_another_configuration(observed, wanted) or other),
        reload_nginx=renews
        or observed.connections.to_mend
        or not observed.units[NGINX].is_active
        or _nginx_is_stale(observed, wanted)
        or any(file.read_by == NGINX and has_another_content(file, found) for file, found in pairs(observed, wanted)),
    )


def _file_differences(observed: Observed, wanted: Wanted) -> t.Dict[WantedFile, t.List[str]]:
    return {file: differences(file, found) for file, found in pairs(observed, wanted)}


def certificate_difference(observed: Observed, wanted: Wanted) -> str:
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
    if days < wanted.renew_days:
        return "the certificate expires in %d days" % days
    return "another certificate is asked for, with another key" if wanted.another_certificate else ""


def _registry_differences(observed: Observed, wanted: Wanted) -> t.List[str]:
    unit = observed.units[wanted.unit]
    found = _unit_differences(unit)
    if observed.units[PACKAGED].loaded:
        found.append("%s, which the package brings, is not masked" % PACKAGED)
    if unit.is_active and runs_another_configuration(observed, wanted):
        found.append("%s runs another configuration" % unit.name)
    other = host_container.what_else_runs(unit, observed.program, observed.container)
    if unit.is_active and other:
        found.append("%s runs another %s is now" % (unit.name, other))
    return found


def runs_another_configuration(observed: Observed, wanted: Wanted) -> bool:
    """The registry reads its files when it starts; one that was started after somebody had changed them runs with the change."""
    unit = observed.units[wanted.unit]
    return (
        unit.needs_daemon_reload
        or unit.environment.get(STAMP_VARIABLE) != wanted.configuration_stamp
        or host_s3.lacks_environment(wanted.bucket, unit)
        or (wanted.upstream is not None and not wanted.upstream.is_login_of(unit.environment))
        or any(
            file.read_by == wanted.unit and has_another_content(file, found) and found.changed_at <= unit.started_at
            for file, found in pairs(observed, wanted)
        )
    )


def _nginx_differences(observed: Observed, wanted: Wanted) -> t.List[str]:
    unit = observed.units[NGINX]
    found = _unit_differences(unit)
    if unit.needs_daemon_reload:
        found.append("systemd does not know yet how %s is to be run" % unit.name)
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
