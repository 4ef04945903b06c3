# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Probes: from the short form a user writes to what Kubernetes takes, and from that to words."""

from __future__ import annotations

import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.workload.release import InvalidRelease, Json, Port

FIELDS = {"startup": "startupProbe", "ready": "readinessProbe", "live": "livenessProbe"}
# Written out, because Kubernetes' own (10 s, 3 failures) make a start that takes 0.5 s last 10.
DEFAULTS: t.Dict[str, t.Dict[str, int]] = {
    "startup": {"period": 1, "timeout": 1, "failures": 60},
    "ready": {"period": 5, "timeout": 1, "failures": 3},
    "live": {"period": 10, "timeout": 1, "failures": 3},
}
_TIMINGS = {
    "delay": "initialDelaySeconds",
    "period": "periodSeconds",
    "timeout": "timeoutSeconds",
    "successes": "successThreshold",
    "failures": "failureThreshold",
}
_LEAST = {"delay": 0, "period": 1, "timeout": 1, "successes": 1, "failures": 1}
_HTTP_KEYS = ("path", "port", "headers", "scheme")


def kubernetes_probe(which: str, probe: t.Mapping[str, t.Any], ports: t.Sequence[Port]) -> t.Tuple[Json, t.List[str]]:
    """Make one probe.

    :param which: C(startup), C(ready) or C(live).
    :param probe: the option's value, of which exactly one of C(exec), C(http) and C(tcp) is set.
    :param ports: the main container's ports, by whose names a probe may call them.
    :returns: the probe as Kubernetes takes it, and warnings.
    :raises InvalidRelease: a port's name that no port has, or a value out of its range.
    """
    where = "probes.%s" % which
    warnings: t.List[str] = []
    result = _handler(where, probe, ports, warnings)
    timings = {**DEFAULTS[which], **{key: probe[key] for key in _TIMINGS if probe.get(key) is not None}}
    for key, value in timings.items():
        if value < _LEAST[key]:
            raise InvalidRelease("%s.%s is %d; the least is %d." % (where, key, value, _LEAST[key]))
        if key == "successes" and which != "ready" and value != 1:
            raise InvalidRelease("%s.successes is %d; Kubernetes allows only 1 there." % (where, value))
        result[_TIMINGS[key]] = value
    if timings["timeout"] > timings["period"]:
        warnings.append(
            "%s: a timeout of %d s is longer than the period of %d s." % (where, timings["timeout"], timings["period"])
        )
    return result, warnings


def _handler(where: str, probe: t.Mapping[str, t.Any], ports: t.Sequence[Port], warnings: t.List[str]) -> Json:
    if probe.get("exec"):
        return {"exec": {"command": list(probe["exec"])}}
    if probe.get("tcp") is not None:
        return {"tcpSocket": {"port": _port(where + ".tcp", probe["tcp"], ports, warnings)}}
    if probe.get("http") is None:
        raise InvalidRelease("%s: one of exec, http and tcp is needed." % where)
    http = probe["http"] if isinstance(probe["http"], dict) else {"path": probe["http"]}
    where += ".http"
    unknown = sorted(set(http) - set(_HTTP_KEYS))
    if unknown:
        raise InvalidRelease("%s: %s is unknown; known are %s." % (where, ", ".join(unknown), ", ".join(_HTTP_KEYS)))
    path = http.get("path", "/")
    if not isinstance(path, str) or not path.startswith("/"):
        raise InvalidRelease("%s: the path is %r; it must begin with '/'." % (where, path))
    get: Json = {"path": path, "port": _port(where, http.get("port"), ports, warnings)}
    scheme = str(http.get("scheme", "http")).upper()
    if scheme not in ("HTTP", "HTTPS"):
        raise InvalidRelease("%s: the scheme is %r; http and https are known." % (where, http["scheme"]))
    get["scheme"] = scheme
    headers = http.get("headers") or {}
    if not isinstance(headers, dict):
        raise InvalidRelease("%s: headers must be a dictionary of names and values." % where)
    if headers:
        get["httpHeaders"] = [{"name": str(name), "value": str(value)} for name, value in headers.items()]
    return {"httpGet": get}


def _port(where: str, port: t.Any, ports: t.Sequence[Port], warnings: t.List[str]) -> t.Union[str, int]:
    """Resolve a port's name or number; without one it is the port called C(http), else the first."""
    names = [known.name for known in ports]
    declared = ", ".join("%s (%d)" % (known.name, known.port) for known in ports) or "none"
    if port is None:
        if not names:
            raise InvalidRelease("%s: no port is given, and the workload has no ports to choose from." % where)
        return "http" if "http" in names else names[0]
    if isinstance(port, str) and not port.isdigit():
        if port not in names:
            raise InvalidRelease(
                "%s: no port is called %r; declared are: %s. Name one of those, or add it to 'ports'."
                % (where, port, declared)
            )
        return port
    number = int(port)
    if not 1 <= number <= 65535:
        raise InvalidRelease("%s: %d is no port; 1 to 65535 are." % (where, number))
    if number not in [known.port for known in ports]:
        warnings.append("%s: port %d is not among the declared ports (%s)." % (where, number, declared))
    return number


def describe(probe: t.Mapping[str, t.Any]) -> str:
    """Say in a few words what a probe, as Kubernetes has it, asks: 'GET /ready on port http'."""
    if "httpGet" in probe:
        get = probe["httpGet"]
        tls = " by HTTPS" if get.get("scheme") == "HTTPS" else ""
        return "GET %s on port %s%s" % (get.get("path", "/"), get["port"], tls)
    if "tcpSocket" in probe:
        return "a connection to port %s" % probe["tcpSocket"]["port"]
    if "grpc" in probe:
        return "gRPC on port %s" % probe["grpc"]["port"]
    return "the command %s" % " ".join(probe.get("exec", {}).get("command", []))
