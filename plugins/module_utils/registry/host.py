# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The look of the role C(registry): one call that observes a registry's host and compares it with what is wanted."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import grp
import hashlib
import ipaddress
import os
import pwd
import stat
import time
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Capability, Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry import host_users
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_certificate import (
    Certificate,
    UnfitCertificate,
    authority_days_left,
    examine,
    file_in_memory,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_listeners import can_listen_on, listeners
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_plan import (
    GIVEN,
    NGINX,
    NONE,
    OWN,
    REGISTRY,
    Observed,
    Plan,
    Wanted,
    WantedFile,
    obstacles,
    plan,
    warnings,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_serving import Serving, ask
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_units import (
    host_fault,
    package_versions,
    units,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import (
    REGISTRY_SPEC,
    RegistrySettings,
)

_DEFAULT_SITE = "/etc/nginx/sites-enabled/default"
_PAUSE = 0.1

Params = t.Mapping[str, t.Any]


def run(params: t.Dict[str, t.Any], context: Context) -> t.Dict[str, t.Any]:
    """Observe a registry's host.

    :raises DeliveryError: something is in the way of what is wanted; or, with C(wait), it is not as wanted in time.
    """
    wanted = _wanted(params)
    fault = host_fault()
    if fault:
        raise DeliveryError(fault)
    if os.geteuid():
        raise DeliveryError("Looking at a registry's host needs root there. Set 'become: true' for this host.")
    deadline = time.monotonic() + params["wait"]
    while True:
        observed = _observe(params, wanted, context)
        to_do = plan(observed, wanted)
        if to_do.as_wanted or time.monotonic() >= deadline:
            break
        time.sleep(_PAUSE)
    if not params["wait"]:
        _refuse(observed, wanted, to_do, context)
    elif not to_do.as_wanted:
        raise DeliveryError(
            "Registry %s is not as wanted after %d s: %s."
            % (_name(wanted), params["wait"], "; ".join(to_do.differences))
        )
    for warning in warnings(observed, wanted):
        context.warn(warning)
    return _result(params, observed, wanted, to_do)


def _wanted(params: Params) -> Wanted:
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
        packages=tuple(params["packages"]),
        files=tuple(WantedFile(**file) for file in params["files"]),
        site_stamp=params["site_stamp"],
        configuration_stamp=params["configuration_stamp"],
        users=tuple(host_users.User(user["name"], user["password"]) for user in params["users"]),
        certificate_origin=certificate["origin"],
        renew_days=certificate["renew_days"],
    )


def _observe(params: Params, wanted: Wanted, context: Context) -> Observed:
    paths = params["certificate"]
    authority = _text(paths["authority"]) if wanted.certificate_origin == OWN else ""
    settings = dataclasses.replace(wanted.settings, ca=authority or wanted.settings.ca)
    certificate, certificate_fault = _certificate(paths, settings)
    if wanted.users:
        first = wanted.users[0]
        settings = dataclasses.replace(settings, username=first.name, password=first.password)
    found = units([NGINX, REGISTRY], context.run_command)
    return Observed(
        packages=package_versions(wanted.packages, context.run_command),
        units=found,
        file_differences=tuple(difference for file in wanted.files for difference in _file_differences(file)),
        missing_directories=any(file.kind == "directory" and not os.path.isdir(file.path) for file in wanted.files),
        certificate=certificate,
        certificate_fault=certificate_fault,
        authority=authority,
        authority_has_key=os.path.exists(paths["authority_key"]),
        authority_days_left=authority_days_left(authority),
        user_differences=tuple(
            host_users.differences(params["users_file"], wanted.users, context.run_command) if wanted.users else ()
        ),
        listeners=tuple(item for port in (wanted.port, wanted.backend_port, 80) for item in listeners(port)),
        serving=ask(settings, wanted.addresses[0], wanted.port)
        if found[NGINX].is_active
        else Serving("nginx does not run"),
        default_site=os.path.exists(_DEFAULT_SITE) or not os.path.exists("/etc/nginx"),
        site_has_port=(":%d" % wanted.port) in _text(params["site"]),
        missing_addresses=tuple(address for address in wanted.addresses if not can_listen_on(address)),
        misplaced=tuple(_misplaced(wanted.files)),
    )


def _certificate(paths: Params, settings: RegistrySettings) -> t.Tuple[t.Optional[Certificate], str]:
    """The certificate to serve, verified; or what is wrong with it."""
    try:
        if paths["origin"] == GIVEN:
            with file_in_memory(paths["text"] or "") as pem:
                return examine(pem, pem, settings), ""
        if paths["origin"] == OWN and os.path.exists(paths["certificate"]) and os.path.exists(paths["key"]):
            return examine(paths["certificate"], paths["key"], settings), ""
    except UnfitCertificate as fault:
        return None, str(fault)
    return None, ""


def _file_differences(file: WantedFile) -> t.List[str]:
    try:
        found = os.stat(file.path)
    except (FileNotFoundError, NotADirectoryError):
        return ["%s is missing" % file.path] if file.sha256 or file.kind == "directory" else []
    differences = []
    owner = "%s:%s" % (_owner(found.st_uid), _group(found.st_gid))
    if owner != "%s:%s" % (file.owner, file.group):
        differences.append("%s belongs to %s" % (file.path, owner))
    if stat.S_IMODE(found.st_mode) != int(file.mode, 8):
        differences.append("%s has mode %04o" % (file.path, stat.S_IMODE(found.st_mode)))
    if file.sha256 and hashlib.sha256(_bytes(file.path)).hexdigest() != file.sha256:
        differences.append("%s has another content" % file.path)
    return differences


def _misplaced(files: t.Sequence[WantedFile]) -> t.Iterator[str]:
    """Where a directory is to be and something else is, or the other way round."""
    for file in files:
        is_kind = os.path.isdir if file.kind == "directory" else os.path.isfile
        if os.path.lexists(file.path) and not is_kind(file.path):
            yield "%s is to be a %s and is none" % (file.path, file.kind)


def _owner(number: int) -> str:
    with contextlib.suppress(KeyError):
        return pwd.getpwuid(number).pw_name
    return str(number)


def _group(number: int) -> str:
    with contextlib.suppress(KeyError):
        return grp.getgrgid(number).gr_name
    return str(number)


def _bytes(path: str) -> bytes:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError), open(path, "rb") as stream:
        return stream.read()
    return b""


def _text(path: str) -> str:
    return _bytes(path).decode("utf-8", "replace")


def _name(wanted: Wanted) -> str:
    return str(wanted.settings.endpoint)


def _refuse(observed: Observed, wanted: Wanted, to_do: Plan, context: Context) -> None:
    """:raises DeliveryError: what is in the way, all of it at once."""
    found = obstacles(observed, wanted)
    if not to_do.as_wanted and "nginx" in observed.packages:
        check = context.run_command(["nginx", "-t", "-q"])
        if check.rc and "longshore" not in check.stderr:
            found.append(
                "The configuration of nginx on this host is broken, before anything was changed; nginx says: %s. Mend it "
                "first." % " ".join(check.stderr.split())
            )
    if found:
        raise DeliveryError("\n".join(found), obstacles=found)


def _result(params: Params, observed: Observed, wanted: Wanted, to_do: Plan) -> t.Dict[str, t.Any]:
    """The role decides by the booleans alone: texts are masked wherever a password happens to occur in them."""
    steps = dataclasses.asdict(to_do)
    steps["differences"] = list(to_do.differences)
    certificate = observed.certificate
    return {
        "changed": False,
        "as_wanted": to_do.as_wanted,
        "can_rehearse": not (to_do.install or to_do.make_authority or observed.missing_directories),
        **steps,
        "authority": observed.authority or wanted.settings.ca or "",
        "before": [_before(file) for file in wanted.files] if not to_do.as_wanted else [],
        "there": [os.path.isfile(file.path) for file in wanted.files] if not to_do.as_wanted else [],
        "subject_alt_names": list(wanted.subject_alt_names),
        "certificate": certificate
        and {
            "fingerprint": certificate.fingerprint,
            "days_left": certificate.days_left(),
            "subject_alt_names": list(certificate.subject_alt_names),
        },
        "packages": dict(observed.packages),
        "units": [
            {"name": unit.name, "active": unit.is_active, "enabled": unit.enabled} for unit in observed.units.values()
        ],
        "listeners": [dataclasses.asdict(listener) for listener in observed.listeners],
        "serving": not observed.serving.fault,
        "serving_fault": observed.serving.fault,
    }


def _before(file: WantedFile) -> str:
    """What a file holds now, so that it can be put back; empty for one that is not there or may be a secret."""
    public = file.kind == "file" and file.sha256 and int(file.mode, 8) & stat.S_IROTH
    return base64.b64encode(_bytes(file.path)).decode() if public else ""


ARGUMENT_SPEC: t.Dict[str, t.Any] = {
    "registry": {**REGISTRY_SPEC, "required": True},
    "names": {"type": "list", "elements": "str", "default": []},
    "addresses": {"type": "list", "elements": "str", "default": ["0.0.0.0"]},
    "backend_port": {"type": "int", "required": True},
    "packages": {"type": "list", "elements": "str", "default": []},
    "files": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "path": {"type": "str", "required": True},
            "kind": {"type": "str", "choices": ["file", "directory"], "default": "file"},
            "owner": {"type": "str", "default": "root"},
            "group": {"type": "str", "default": "root"},
            "mode": {"type": "str", "required": True},
            "sha256": {"type": "str", "default": ""},
        },
    },
    "site": {"type": "str", "required": True},
    "site_stamp": {"type": "str", "required": True},
    "configuration_stamp": {"type": "str", "required": True},
    "certificate": {
        "type": "dict",
        "required": True,
        "options": {
            "origin": {"type": "str", "choices": [OWN, GIVEN, NONE], "required": True},
            "certificate": {"type": "str", "default": ""},
            "key": {"type": "str", "default": "", "no_log": False},
            "authority": {"type": "str", "default": ""},
            "authority_key": {"type": "str", "default": "", "no_log": False},
            "text": {"type": "str", "default": "", "no_log": True},
            "renew_days": {"type": "int", "default": 30},
        },
    },
    "users": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "password": {"type": "str", "required": True, "no_log": True},
        },
    },
    "users_file": {"type": "str", "default": ""},
    "wait": {"type": "int", "default": 0},
}

CAPABILITY = Capability(run=run, argument_spec=ARGUMENT_SPEC)
