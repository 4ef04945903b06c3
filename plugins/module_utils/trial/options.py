# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The options of image_trial, checked as far as they can be without looking at an image or an engine."""

from __future__ import annotations

import math
import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import (
    ADDRESS_SPEC,
    DockerAddress,
)
from ansible_collections.longshore.delivery.plugins.module_utils.image.names import image_named
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import AUTO, DOCKER, PODMAN
from ansible_collections.longshore.delivery.plugins.module_utils.trial.condition import check
from ansible_collections.longshore.delivery.plugins.module_utils.trial.wanted import (
    Assertion,
    ChangedVariable,
    Condition,
    Wanted,
)

ENGINES = (AUTO, DOCKER, PODMAN)
POINTS = (
    "starts",
    "listens",
    "health",
    "ready",
    "metrics",
    "assertion",
    "required_env",
    "changed_env",
    "user",
    "logs",
    "stops",
    "transient",
    "copies",
)

ARGUMENT_SPEC: t.Dict[str, t.Any] = dict(
    image=dict(type="str", required=True),
    command=dict(type="list", elements="str"),
    env=dict(type="dict", default={}),
    secrets=dict(type="dict", default={}, no_log=True),
    user=dict(type="str"),
    port=dict(type="int"),
    health=dict(type="str"),
    ready=dict(type="str"),
    metrics=dict(type="str"),
    required_env=dict(type="list", elements="str", default=[]),
    changed_env=dict(
        type="list",
        elements="dict",
        default=[],
        options=dict(
            name=dict(type="str", required=True),
            value=dict(type="str", required=True),
            path=dict(type="str", default="/"),
            regex=dict(type="str"),
        ),
    ),
    assertions=dict(
        type="list",
        elements="dict",
        default=[],
        options=dict(
            name=dict(type="str"),
            http=dict(type="str"),
            exec=dict(type="list", elements="str"),
            tcp=dict(type="int"),
            port=dict(type="int"),
            headers=dict(type="dict", default={}),
            status=dict(type="int"),
            regex=dict(type="str"),
            jmespath=dict(type="str"),
            timeout=dict(type="int", default=5),
        ),
        mutually_exclusive=[("http", "exec", "tcp")],
        required_one_of=[("http", "exec", "tcp")],
    ),
    accept=dict(type="list", elements="str", default=[], choices=list(POINTS)),
    start_timeout=dict(type="int", default=30),
    stop_timeout=dict(type="int", default=30),
    memory=dict(type="str", default="256MiB"),
    cpus=dict(type="float", default=1.0),
    tmpfs=dict(type="list", elements="str", default=["/tmp"]),
    engine=dict(type="str", choices=list(ENGINES), default=AUTO),
    **ADDRESS_SPEC,
)

_MEMORY = re.compile(r"(\d+(?:\.\d+)?)\s*([kmg]?)(?:i?b)?\Z", re.IGNORECASE)
# what engines refuse to go below: runc cannot start a process in less
_LEAST_CPUS = 0.01  # as for the docker command
_LEAST_MEMORY = 6 * 1024**2
_VARIABLE = re.compile(r"[^=\0]+\Z")


class InvalidOption(DeliveryError):
    """An option that cannot be; the message names it."""


def read_options(params: t.Mapping[str, t.Any]) -> Wanted:
    """What is wanted, from the validated options.

    :raises DeliveryError: one of them cannot be.
    """
    for name in ("start_timeout", "stop_timeout"):
        if params[name] < 1:
            raise InvalidOption("%s is %d; it is a number of seconds, at least 1." % (name, params[name]))
    if not _LEAST_CPUS <= params["cpus"] < math.inf:
        raise InvalidOption(
            "cpus is %s; it is a number from %s on, as 0.5 for half of one." % (params["cpus"], _LEAST_CPUS)
        )
    _check_port("port", params["port"])
    image_named("image", params["image"])
    secret = sorted(set(params["env"]) & set(params["secrets"]))
    if secret:
        raise InvalidOption("%s is in 'env' and in 'secrets'. Leave it in 'secrets'." % secret[0])
    env = {**_texts("env", params["env"]), **_texts("secrets", params["secrets"])}
    for directory in params["tmpfs"]:
        if not directory.startswith("/") or ":" in directory:
            raise InvalidOption("tmpfs: %r is no absolute path of a directory in the container." % directory)
    return Wanted(
        image=params["image"],
        called=params.get("called", params["image"]),
        engine=params["engine"],
        address=DockerAddress.find(params["docker_host"], params["docker_cert_path"]),
        command=tuple(params["command"]) if params["command"] is not None else None,
        env=env,
        user=params["user"] or "",
        port=params["port"] or 0,
        endpoints={
            name: _path(name, params[name]) for name in ("health", "ready", "metrics") if params[name] is not None
        },
        required_env=tuple(params["required_env"]),
        changed_env=tuple(_changed(entry) for entry in params["changed_env"]),
        assertions=tuple(_assertion(number, entry) for number, entry in enumerate(params["assertions"], 1)),
        accept=tuple(params["accept"]),
        start_timeout=params["start_timeout"],
        stop_timeout=params["stop_timeout"],
        memory=memory_bytes(params["memory"]),
        cpus=params["cpus"],
        tmpfs=tuple(params["tmpfs"]),
    )


def memory_bytes(text: str) -> int:
    """Bytes of a size in the docker command's words, in which all units are powers of 1024: 256m, 256M, 256MiB.

    :raises InvalidOption: it is none, or is less than an engine takes.
    """
    found = _MEMORY.match(text.strip())
    if not found:
        raise InvalidOption("memory is %r; write a number with a unit, as in 256MiB or 1g." % text)
    size = int(float(found[1]) * 1024 ** " kmg".index(found[2].lower() or " "))
    if size < _LEAST_MEMORY:
        raise InvalidOption("memory is %r; engines start nothing in less than 6MiB." % text)
    return size


def _texts(option: str, values: t.Mapping[str, t.Any]) -> t.Dict[str, str]:
    """Variables with their values as texts: numbers as they are written, no booleans, whose text nobody can foresee."""
    for name, value in values.items():
        if not _VARIABLE.match(str(name)):
            raise InvalidOption("%s: %r is no name of a variable." % (option, name))
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise InvalidOption("%s: the value of %s is no text. Put it in quotes." % (option, name))
    return {str(name): str(value) for name, value in values.items()}


def _path(option: str, path: str) -> str:
    if not path.startswith("/") or any(character.isspace() for character in path):
        raise InvalidOption(
            "%s is %r; write a path that begins with '/' and has no space, as /health." % (option, path)
        )
    return path


def _check_port(option: str, port: t.Optional[int]) -> None:
    if port is not None and not 1 <= port <= 65535:
        raise InvalidOption("%s is %d; a port is a number from 1 to 65535." % (option, port))


def _changed(entry: t.Mapping[str, t.Any]) -> ChangedVariable:
    where = "changed_env: %s" % entry["name"]
    check(Condition(regex=entry["regex"] or ""), where)
    return ChangedVariable(entry["name"], entry["value"], _path(where, entry["path"]), entry["regex"] or "")


def _assertion(number: int, entry: t.Mapping[str, t.Any]) -> Assertion:
    where = "assertions, number %d" % number
    for option in ("port", "tcp"):
        _check_port("%s: %s" % (where, option), entry[option])
    for option in ("port", "headers", "status", "jmespath"):
        if entry[option] and not entry["http"]:
            raise InvalidOption("%s: '%s' goes with 'http' only." % (where, option))
    if entry["tcp"] and entry["regex"]:
        raise InvalidOption("%s: 'regex' goes with 'http' and 'exec' only." % where)
    if entry["exec"] == []:
        raise InvalidOption("%s: 'exec' is empty; write the command as a list of words." % where)
    if entry["timeout"] < 1:
        raise InvalidOption("%s: timeout is %d; it is a number of seconds, at least 1." % (where, entry["timeout"]))
    condition = Condition(entry["regex"] or "", entry["jmespath"] or "")
    check(condition, where)
    subject = entry["http"] or " ".join(entry["exec"] or ()) or "port %d" % (entry["tcp"] or 0)
    return Assertion(
        name=entry["name"] or subject,
        http=_path(where, entry["http"]) if entry["http"] else "",
        command=tuple(entry["exec"] or ()),
        tcp=entry["tcp"] or 0,
        port=entry["port"] or 0,
        headers=_texts("%s: headers" % where, entry["headers"]),
        status=entry["status"] or 0,
        condition=condition,
        timeout=entry["timeout"],
    )
