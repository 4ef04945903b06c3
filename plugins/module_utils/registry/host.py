# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The look of the role C(registry): one call that observes a registry's host and compares it with what is wanted."""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import time
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Capability, Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry import (
    host_authority,
    host_connections,
    host_container,
    host_data,
    host_firewall,
    host_garbage,
    host_instances,
    host_name,
    host_program,
    host_quadlet,
    host_runs,
    host_s3,
    host_upstream,
    host_users,
    host_volume,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_authority import TURNED, Authority
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_certificate import (
    Certificate,
    UnfitCertificate,
    examine,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_files import (
    DIRECTORY,
    FoundFile,
    WantedFile,
    content_of,
    differences,
    find,
    with_texts,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_listeners import Sockets, can_listen_on
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_obstacles import obstacles, warnings
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_options import ARGUMENT_SPEC
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_plan import Plan, plan
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_serving import Serving, ask
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_state import (
    GIVEN,
    NGINX,
    OWN,
    PACKAGED,
    STAMP_VARIABLE,
    Observed,
    Wanted,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_units import (
    host_fault,
    package_versions,
    units,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.memory_file import file_in_memory
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import (
    RegistrySettings,
)

_DEFAULT_SITE = "/etc/nginx/sites-enabled/default"
_PAUSE = 0.1

Params = t.Mapping[str, t.Any]


def run(params: t.Dict[str, t.Any], context: Context) -> t.Dict[str, t.Any]:
    """Observe a registry's host.

    :raises DeliveryError: something is in the way of what is wanted; or, with C(wait), it is not as wanted in time.
    """
    params = host_quadlet.in_its_form(params)
    wanted = _wanted(params)
    fault = host_fault()
    if fault:
        raise DeliveryError(fault)
    if os.geteuid():
        raise DeliveryError("Looking at a registry's host needs root there. Set 'become: true' for this host.")
    patience = params["wait"]
    if params["served"]:
        observed = _observe_until(lambda found: _served(found, wanted) == params["served"], params, wanted, context)
        if _served(observed, wanted) != params["served"]:
            raise DeliveryError(
                "Registry %s does not serve as before: it was %s, and is %s."
                % (wanted.settings.endpoint, params["served"], _served(observed, wanted))
            )
        return _result(params, observed, wanted, plan(observed, wanted))
    observed = _observe_until(
        lambda found: bool(found.storage.fault) or (plan(found, wanted).as_wanted and not obstacles(found, wanted)),
        params,
        wanted,
        context,
    )
    to_do = plan(observed, wanted)
    in_the_way = obstacles(observed, wanted)
    if patience and not to_do.as_wanted:
        raise DeliveryError(
            "Registry %s is not as wanted: %s."
            % (wanted.settings.endpoint, "; ".join((*to_do.differences, *in_the_way)).rstrip("."))
        )
    if not patience and not to_do.as_wanted:
        in_the_way += _nginx_faults(observed, params["instance"], context)
        in_the_way += host_garbage.faults(params["collect"], context.run_command) if params["collect"] else []
    if in_the_way:
        raise DeliveryError("\n".join(in_the_way), obstacles=in_the_way)
    for warning in warnings(observed, wanted):
        context.warn(warning)
    return _result(params, observed, wanted, to_do)


def _observe_until(
    is_enough: t.Callable[[Observed], bool], params: Params, wanted: Wanted, context: Context
) -> Observed:
    """Look again and again, as long as the option C(wait) says and no service has failed for good; the last look counts."""
    deadline = time.monotonic() + params["wait"]
    while True:
        observed = _observe(params, wanted, context)
        has_failed = any(observed.units[name].active == "failed" for name in (NGINX, wanted.unit))
        if is_enough(observed) or has_failed or time.monotonic() >= deadline:
            return observed
        time.sleep(_PAUSE)


def _wanted(params: Params) -> Wanted:
    host_instances.check(params["instance"])
    settings = RegistrySettings.from_params(params["registry"])
    certificate = params["certificate"]
    for address in params["addresses"]:
        try:
            ipaddress.ip_address(address)
        except ValueError:
            raise DeliveryError(
                "registry_addresses of registry %s has %r, which is no address. List addresses of the host, as in 0.0.0.0 or ::."
                % (settings.endpoint, address)
            ) from None
    return Wanted(
        settings=settings,
        names=tuple(params["names"]),
        addresses=tuple(params["addresses"]),
        port=settings.endpoint.address(settings.scheme)[1],
        backend_port=params["backend_port"],
        metrics_port=params["metrics_port"],
        packages=tuple(params["packages"]),
        files=with_texts(
            (WantedFile(**file) for file in params["files"]),
            {file["path"]: file["text"] for file in params["secret_files"]},
        ),
        site_stamp=params["site_stamp"],
        configuration_stamp=params["configuration_stamp"],
        users=tuple(host_users.User(user["name"], user["password"]) for user in params["users"]),
        certificate_origin=certificate["origin"],
        renew_days=certificate["renew_days"],
        valid_days=certificate["valid_days"],
        another_certificate=certificate["another"],
        plain_too=params["plain_too"],
        anonymous_pull=params["anonymous_pull"],
        other_users_stay=params["other_users_stay"],
        without_users=params["without_users"],
        unit=params["unit"],
        data=params["data"]["path"] if params["data"] and not params["s3"] else "",
        bucket=host_s3.Bucket.from_params(params["s3"]) if params["s3"] else None,
        upstream=host_upstream.of(params["upstream"]),
    )


def _observe(params: Params, wanted: Wanted, context: Context) -> Observed:
    paths, data = params["certificate"], params["data"]
    authority = (
        host_authority.observe(paths["authority"], paths["authority_key"], paths["next_authority_key"])
        if wanted.certificate_origin == OWN
        else Authority()
    )
    settings = dataclasses.replace(wanted.settings, ca=(not authority.fault and authority.pem) or wanted.settings.ca)
    certificate, certificate_fault = _certificate(paths, settings, authority)
    if wanted.users:
        first = wanted.users[0]
        settings = dataclasses.replace(settings, username=first.name, password=first.password)
    beside = host_instances.others(params["instance"])
    collect = params["collect"]
    collecting = [collect["timer"], collect["settling"], host_garbage.service_of(collect["timer"])] if collect else []
    sockets = Sockets()
    found = units([NGINX, wanted.unit, PACKAGED, *collecting], context.run_command, sockets)
    site = _text(params["site"])
    container = host_container.Container()
    if params["container"]:
        container = host_container.observe(run_command=context.run_command, **params["container"])
        sockets = Sockets()  # later than what the engine says
    container = dataclasses.replace(container, fault=container.fault or host_quadlet.fault(params))
    other_container = host_container.is_of_another(host_quadlet.started_by(params), found[wanted.unit])
    found[wanted.unit] = container.found_in(found[wanted.unit], sockets)
    storage = host_s3.Storage(has_files=bool(data) and os.path.isdir(os.path.join(data["path"], host_data.STORE)))
    if wanted.bucket and found[wanted.unit].is_active and not params["served"]:
        fault = host_s3.ask(wanted.backend_port, wanted.unit, context.run_command, writes=params["wait"] > 0)
        storage = dataclasses.replace(storage, fault=fault)
    return Observed(
        packages=package_versions(wanted.packages, context.run_command),
        units={name: found[name] for name in (NGINX, wanted.unit, PACKAGED)},
        collecting=host_garbage.Collecting(
            wanted=bool(collect["calendar"]),
            timer=found[collect["timer"]],
            settling=found[collect["settling"]],
            service=found[host_garbage.service_of(collect["timer"])],
            last=host_garbage.last_collection(collect["result"]),
            untagged_days=collect["untagged_days"],
        )
        if collect
        else None,
        files=tuple(find(file) for file in wanted.files),
        program=host_program.observe(params["program"], context.run_command)
        if params["program"]
        else host_program.Program(),
        data=_data(params, context),
        certificate=certificate,
        certificate_fault=certificate_fault,
        authority=authority,
        user_differences=tuple(
            host_users.differences(params["users_file"], wanted.users, context.run_command, params["other_users_stay"])
            if wanted.users
            else ()
        ),
        users_in_use=() if wanted.users else host_users.in_use(params["users_file"], site),
        container=container,
        volume=_volume(params, container.fault, context),
        storage=storage,
        other_container=other_container,
        generator=params["generator"],
        listeners=host_container.attributed(
            sockets.listeners(*wanted.ports),
            wanted.unit,
            STAMP_VARIABLE,
            host_instances.configuration_of(params["instance"]),
        ),
        # the role's own authority is all that clients are told of; to load the system's takes a tenth of the whole look
        serving=ask(settings, wanted.addresses[0], wanted.port, with_system=wanted.certificate_origin != OWN)
        if found[NGINX].is_active
        else Serving("nginx does not run"),
        default_site=os.path.exists(_DEFAULT_SITE) or not os.path.exists("/etc/nginx"),
        site_has_port=(":%d" % wanted.port) in site,
        site_is_plain=bool(site) and " ssl;" not in site,
        connections=host_connections.observe(
            params["connections"], max((one.connections for one in beside), default=0)
        ),
        own_name=host_name.observe(params["own_name"], wanted.settings.endpoint.host),
        instances=beside,
        firewall=host_firewall.observe(port=wanted.port, **params["firewall"])
        if params["firewall"]
        else host_firewall.Firewall(),
        missing_addresses=tuple(address for address in wanted.addresses if not can_listen_on(address)),
    )


def _data(params: Params, context: Context) -> host_data.Data:
    data = params["data"]
    if not data:
        return host_data.Data()
    if params["s3"]:
        return host_data.observe_user(data["user"])
    before = host_instances.present(params["instance"]).data
    return host_data.observe(
        data["path"], data["user"], context.run_command, bool(data["volume"]), before, data["reader"]
    )


def _volume(params: Params, of_engine: str, context: Context) -> host_volume.Volume:
    """The volume that is wanted; an engine with a fault is not asked."""
    data = params["data"]
    if not data or not data["volume"] or of_engine:
        return host_volume.Volume()
    engine = params["container"]["engine"] if params["container"] else ""
    return host_volume.observe(data["volume"], data["path"], engine, bool(params["s3"]), context.run_command)


def _certificate(
    paths: Params, settings: RegistrySettings, authority: Authority
) -> t.Tuple[t.Optional[Certificate], str]:
    """The certificate to serve, verified; or what is wrong with it. The role's own is to be of the authority that signs now."""
    if authority.fault:  # nothing can be said of it without
        return None, ""
    found, fault = _examined(paths, dataclasses.replace(settings, ca=authority.signing or settings.ca))
    if fault and authority.phase == TURNED and not _examined(paths, settings)[1]:
        return None, "it is of the authority before"
    return found, fault


def _examined(paths: Params, settings: RegistrySettings) -> t.Tuple[t.Optional[Certificate], str]:
    try:
        if paths["origin"] == GIVEN:
            with file_in_memory(paths["text"] or "") as pem:
                return examine(pem, pem, settings), ""
        if paths["origin"] == OWN and os.path.exists(paths["certificate"]) and os.path.exists(paths["key"]):
            return examine(paths["certificate"], paths["key"], settings, with_system=False), ""
    except UnfitCertificate as fault:
        return None, fault.explained if paths["origin"] == GIVEN else str(fault)
    return None, ""


def _text(path: str) -> str:
    return content_of(path).decode("utf-8", "replace")


def _nginx_faults(observed: Observed, instance: str, context: Context) -> t.List[str]:
    """What nginx says against the configuration that it finds, unless it speaks of this role's part in it."""
    check = context.run_command(["nginx", "-t", "-q"]) if "nginx" in observed.packages else None
    if check is None or not check.rc or host_instances.is_said_of(instance, check.stderr):
        return []
    return [
        "The configuration of nginx on this host is broken, before anything was changed; nginx says: %s. Mend it first."
        % " ".join(check.stderr.split())
    ]


def _served(observed: Observed, wanted: Wanted) -> t.Dict[str, t.Any]:
    """What clients get and who listens behind: equal before and after where nothing came of a change."""
    serving = observed.serving
    return {
        "stamp": serving.stamp,
        "certificate": serving.certificate,
        "anonymous": serving.anonymous,
        "login": serving.login,
        "listens": list(observed.units[wanted.unit].listens),
    }


def _result(params: Params, observed: Observed, wanted: Wanted, to_do: Plan) -> t.Dict[str, t.Any]:
    """The role decides by the booleans alone: texts are masked wherever a password happens to occur in them."""
    steps = dataclasses.asdict(to_do)
    steps["differences"] = list(to_do.differences)
    certificate = observed.certificate
    return {
        "changed": False,
        "as_wanted": to_do.as_wanted,
        "can_rehearse": not (to_do.install or to_do.make_authority or _lacks_directories(observed, wanted)),
        **steps,
        "authority": observed.authority.pem or wanted.settings.ca or "",
        "authority_phase": observed.authority.phase,
        "before": [_before(*pair) for pair in zip(wanted.files, observed.files)] if not to_do.as_wanted else [],
        "other_run": _other_run(params["kept"]),
        "changed_by": host_runs.changed_by(params["ledger"]) if params["ledger"] else "",
        "served": _served(observed, wanted),
        "subject_alt_names": list(wanted.subject_alt_names),
        "certificate": certificate
        and {
            "fingerprint": certificate.fingerprint,
            "days_left": certificate.days_left(),
            "subject_alt_names": list(certificate.subject_alt_names),
        },
        "packages": dict(observed.packages),
        "program": {"path": observed.program.path, "version": observed.program.version},
        "units": [
            {"name": unit.name, "there": unit.loaded, "active": unit.is_active, "enabled": unit.enabled}
            for unit in (*observed.units.values(), *(observed.collecting.units if observed.collecting else ()))
        ],
        "listeners": [dataclasses.asdict(listener) for listener in observed.listeners],
        "connections": observed.connections.told,
        "quadlet_generator": observed.generator,
        "firewall": observed.firewall.told,
        "name_before": "".join(observed.own_name.lines[:1]),
        "name_shadowed": observed.own_name.is_shadowed,
        "collected": dict(observed.collecting.last) if observed.collecting and observed.collecting.last else None,
        "serving": not observed.serving.fault,
        "serving_fault": observed.serving.fault,
    }


def _other_run(kept: str) -> t.Dict[str, t.Any]:
    run = host_runs.noted(kept) if kept else None
    return dataclasses.asdict(run) if run else {}


def _lacks_directories(observed: Observed, wanted: Wanted) -> bool:
    return any(file.kind == DIRECTORY and not found.kind for file, found in zip(wanted.files, observed.files))


def _before(wanted: WantedFile, found: FoundFile) -> t.Dict[str, t.Any]:
    """What a change may have to put back; numbers, which no password can mask."""
    return {
        "kind": found.kind,
        "uid": found.uid,
        "gid": found.gid,
        "mode": "%04o" % found.mode,
        "as_wanted": not differences(wanted, found),
    }


CAPABILITY = Capability(run=run, argument_spec=ARGUMENT_SPEC)
