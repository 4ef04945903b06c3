# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The options of C(workload): how they are declared, and how they become a release."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import (
    REGISTRY_SPEC,
    RegistrySettings,
)
from ansible_collections.longshore.delivery.plugins.module_utils.workload.probes import FIELDS, kubernetes_probe
from ansible_collections.longshore.delivery.plugins.module_utils.workload.quantities import quantity
from ansible_collections.longshore.delivery.plugins.module_utils.workload.release import (
    Container,
    InvalidRelease,
    Json,
    Port,
    PullCredentials,
    Release,
)

PRE_STOP_PAUSE = 5
STOP_SECONDS = 30

_RESOURCES = {"type": "dict", "options": {"requests": {"type": "dict"}, "limits": {"type": "dict"}}}
_CONTAINER = {
    "command": {"type": "list", "elements": "str"},
    "args": {"type": "list", "elements": "str"},
    "env": {"type": "dict"},
    "resources": _RESOURCES,
    "run_as_user": {"type": "int"},
}
_PROBE = {
    "type": "dict",
    "options": {
        "exec": {"type": "list", "elements": "str"},
        "http": {"type": "raw"},
        "tcp": {"type": "str"},
        "delay": {"type": "int"},
        "period": {"type": "int"},
        "timeout": {"type": "int"},
        "successes": {"type": "int"},
        "failures": {"type": "int"},
    },
    "mutually_exclusive": [["exec", "http", "tcp"]],
    "required_one_of": [["exec", "http", "tcp"]],
}
ARGUMENT_SPEC: t.Dict[str, t.Any] = {
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str", "default": "default"},
    "create_namespace": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "image": {"type": "str"},
    "pin": {"type": "bool", "default": True},
    "registry": REGISTRY_SPEC,
    "replicas": {"type": "int"},
    "ports": {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str", "required": True},
            "port": {"type": "int", "required": True},
            "protocol": {"type": "str", "choices": ["TCP", "UDP", "SCTP"], "default": "TCP"},
        },
    },
    "service": {"type": "bool"},
    "probes": {"type": "dict", "options": {"startup": _PROBE, "ready": _PROBE, "live": _PROBE}},
    "config": {"type": "dict"},
    "secrets": {"type": "dict", "no_log": True},
    "sidecars": {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str", "required": True},
            "image": {"type": "str", "required": True},
            **_CONTAINER,
        },
    },
    **_CONTAINER,
    "run_as_root": {"type": "bool", "default": False},
    "pre_stop_pause": {"type": "int"},
    "stop_seconds": {"type": "int", "default": STOP_SECONDS},
    "take_ownership": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 300},
    "ready_grace": {"type": "int", "default": 15},
}
CONSTRAINTS: t.Dict[str, t.Any] = {"required_if": [("state", "present", ["image"])]}

# A Service's name and a Deployment's containers: RFC 1035 labels (Kubernetes' IsDNS1035Label).
_NAME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?\Z")
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z")
# IsValidPortName: at most 15 characters, a letter among them, no two dashes in a row.
_PORT_NAME = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?\Z")
# What every supported Kubernetes takes as a ConfigMap's key and hands on as a variable's name.
_VARIABLE = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]{0,252}\Z")


def check_name(name: str, what: str = "name") -> str:
    """:raises InvalidRelease: Kubernetes would not take it as the name of a Service or a container."""
    if not _NAME.match(name):
        raise InvalidRelease(
            "%s is %r; use lower-case letters, digits and '-', a letter first, no '-' last, at most 63." % (what, name)
        )
    return name


def check_namespace(namespace: str) -> str:
    """:raises InvalidRelease: Kubernetes would not take it as the name of a Namespace."""
    if not _NAMESPACE.match(namespace):
        raise InvalidRelease(
            "namespace is %r; use lower-case letters, digits and '-', no '-' at an end, at most 63." % namespace
        )
    return namespace


def release_from(params: t.Mapping[str, t.Any]) -> t.Tuple[Release, t.List[str]]:
    """Make a release of validated options.

    :returns: the release, and warnings.
    :raises InvalidRelease: an option makes no sense, alone or beside the others.
    """
    name = check_name(params["name"])
    ports = _ports(params["ports"] or [])
    probes, warnings = _probes(params["probes"] or {}, ports)
    config = _variables("config", params["config"])
    secrets = _variables("secrets", params["secrets"])
    main = _container(name, params["image"], params)
    for one, other, keys in (
        ("config", "secrets", set(config) & set(secrets)),
        ("env", "config or secrets", set(main.environment) & (set(config) | set(secrets))),
    ):
        if keys:
            raise InvalidRelease("%s is in %s and in %s; keep one." % (", ".join(sorted(keys)), one, other))
    sidecars = tuple(
        _container(check_name(item["name"], "sidecars: name"), item["image"], item) for item in params["sidecars"] or []
    )
    _unique("sidecars", [name] + [sidecar.name for sidecar in sidecars], "the main container has the workload's name")
    service = bool(ports) if params["service"] is None else params["service"]
    if service and not ports:
        raise InvalidRelease("service is true, and there are no ports that it could offer; add 'ports'.")
    pause = params["pre_stop_pause"]
    release = Release(
        name=name,
        namespace=check_namespace(params["namespace"]),
        main=main,
        replicas=_least("replicas", params["replicas"], 0),
        sidecars=sidecars,
        ports=ports,
        probes=probes,
        config=config,
        secrets=secrets,
        service=service,
        pre_stop_pause=_least("pre_stop_pause", (PRE_STOP_PAUSE if service else 0) if pause is None else pause, 0) or 0,
        stop_seconds=_least("stop_seconds", params["stop_seconds"], 1) or STOP_SECONDS,
        run_as_root=params["run_as_root"],
        pull_credentials=_pull_credentials(params),
    )
    return release, warnings


def registry_from(params: t.Mapping[str, t.Any]) -> t.Optional[RegistrySettings]:
    """The registry that the images without one of their own are in."""
    return RegistrySettings.from_params(params["registry"]) if params["registry"] else None


def _pull_credentials(params: t.Mapping[str, t.Any]) -> t.Optional[PullCredentials]:
    registry = registry_from(params)
    if registry is None or registry.username is None or registry.password is None:
        return None
    return PullCredentials(str(registry.endpoint), registry.username, registry.password)


def _least(option: str, value: t.Optional[int], least: int) -> t.Optional[int]:
    if value is not None and value < least:
        raise InvalidRelease("%s is %d; the least is %d." % (option, value, least))
    return value


def _unique(what: str, values: t.Sequence[t.Any], why: str) -> None:
    twice = sorted({str(value) for value in values if values.count(value) > 1})
    if twice:
        raise InvalidRelease("%s: %s is used twice; %s." % (what, ", ".join(twice), why))


def _ports(items: t.Sequence[t.Mapping[str, t.Any]]) -> t.Tuple[Port, ...]:
    ports = tuple(Port(item["name"], item["port"], item["protocol"]) for item in items)
    for port in ports:
        if not _PORT_NAME.match(port.name):
            raise InvalidRelease(
                "ports: the name %r; use lower-case letters, digits and '-', at most 15, one a letter." % port.name
            )
        if not 1 <= port.port <= 65535:
            raise InvalidRelease("ports: %s is %d; 1 to 65535 are ports." % (port.name, port.port))
    _unique("ports", [port.name for port in ports], "each port needs a name of its own")
    _unique("ports", [(port.port, port.protocol) for port in ports], "a container listens on a port once")
    return ports


def _probes(probes: t.Mapping[str, t.Any], ports: t.Sequence[Port]) -> t.Tuple[t.Dict[str, Json], t.List[str]]:
    made: t.Dict[str, Json] = {}
    warnings: t.List[str] = []
    for which, field in FIELDS.items():
        if probes.get(which):
            made[field], new = kubernetes_probe(which, probes[which], ports)
            warnings += new
    return made, warnings


def _container(name: str, image: str, options: t.Mapping[str, t.Any]) -> Container:
    Reference.parse(image)  # says what is wrong with it before anything else is asked
    resources = {
        key: {unit: _amount("resources.%s.%s of %s" % (key, unit, name), amount) for unit, amount in amounts.items()}
        for key, amounts in (options["resources"] or {}).items()
        if amounts
    }
    return Container(
        name=name,
        image=image,
        command=tuple(options["command"] or ()),
        args=tuple(options["args"] or ()),
        environment=_variables("env of %s" % name, options["env"]),
        resources=resources,
        run_as_user=options["run_as_user"],
    )


def _amount(where: str, amount: t.Any) -> str:
    try:
        quantity(str(amount))
    except ValueError:
        raise InvalidRelease("%s is %r; write an amount as in '500m', '2' or '64Mi'." % (where, amount)) from None
    return str(amount)


def _variables(what: str, values: t.Optional[t.Mapping[str, t.Any]]) -> t.Dict[str, str]:
    """Environment variables; YAML's booleans and numbers become the text that was most likely written."""
    result = {}
    for key, value in (values or {}).items():
        if not _VARIABLE.match(str(key)):
            raise InvalidRelease("%s: %r is no name of an environment variable." % (what, key))
        if isinstance(value, bool):
            value = "true" if value else "false"
        elif isinstance(value, (int, float)):
            value = str(value)
        elif not isinstance(value, str):
            raise InvalidRelease(
                "%s: %s is a %s; an environment variable is text (the filter 'to_json' makes one)."
                % (what, key, {"dict": "dictionary", "NoneType": "null"}.get(type(value).__name__, "list"))
            )
        result[str(key)] = value
    return result
