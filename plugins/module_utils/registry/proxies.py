# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.
"""Proxies on the way to a registry: what the environment names for it, and what an answer shows."""

from __future__ import annotations

import dataclasses
import ipaddress
import typing as t
from urllib.parse import urlsplit


@dataclasses.dataclass(frozen=True)
class Proxies:
    """What the environment says of proxies for one address.

    :param named: the proxy that it names, without a login; None where it names none.
    :param variable: by which it names it.
    :param exempt: the entry of C(NO_PROXY) by which the address is reached without it; C(localhost) needs none.
    """

    named: t.Optional[str] = None
    variable: t.Optional[str] = None
    exempt: t.Optional[str] = None

    @property
    def is_used(self) -> bool:
        """Whether clients that follow the environment, as the container engines do, go by the proxy."""
        return self.named is not None and self.exempt is None


def proxies_of(environment: t.Mapping[str, str], scheme: str, host: str, port: int) -> Proxies:
    """Read the environment as Go's clients do (golang.org/x/net/http/httpproxy): the variable in capitals comes first."""
    variable = "%s_PROXY" % scheme.upper()
    named = next((environment[name] for name in (variable, variable.lower()) if environment.get(name)), None)
    if named is None:
        return Proxies()
    return Proxies(without_login(named), variable, _exemption(environment, host, port))


def without_login(url: str) -> str:
    """A proxy's address as it may be shown."""
    parts = urlsplit(url if "://" in url else "http://" + url)
    return "%s://%s" % (parts.scheme, parts.netloc.rpartition("@")[2])


def _exemption(environment: t.Mapping[str, str], host: str, port: int) -> t.Optional[str]:
    address = _address(host)
    if host == "localhost" or (address is not None and address.is_loopback):
        return "localhost"
    listed = environment.get("NO_PROXY") or environment.get("no_proxy") or ""
    return next((entry for entry in (part.strip() for part in listed.split(",")) if _exempts(entry, host, port)), None)


def _exempts(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    try:
        network = ipaddress.ip_network(entry, strict=False)
    except ValueError:
        name, colon, only = entry.rpartition(":")
        if colon and only.isdigit():
            return int(only) == port and _exempts(name.strip("[]"), host, port)
        name = entry.lower().lstrip("*")
        return bool(name) and (host.lower() == name or host.lower().endswith("." + name.lstrip(".")))
    address = _address(host)
    return address is not None and address in network


def _address(host: str) -> t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address, None]:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
