# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Whether a registry serves on this host as its clients want it: asked on the port itself, not in a file.

The question goes to the address that nginx listens on, under the name that clients use: what a name server or a load balancer
makes of that name is not the host's affair.
"""

from __future__ import annotations

import dataclasses
import http.client
import ipaddress
import socket
import ssl
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import (
    PLAIN,
    UNVERIFIED,
    RegistrySettings,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.tls import fingerprint, kept_context

STAMP_PATH = "/longshore/site"
_PATIENCE = 5.0


@dataclasses.dataclass(frozen=True)
class Serving:
    """What came back: C(fault) is empty when a client would be served.

    :param stamp: the digest that the running configuration of nginx says of itself; empty when it is none of this role's.
    :param certificate: SHA-256 of the certificate that was presented.
    :param anonymous: the HTTP status of C(/v2/) without a login, 0 when it was not to be had; C(login) likewise with one.
    """

    fault: str = ""
    stamp: str = ""
    certificate: str = ""
    anonymous: int = 0
    login: int = 0


def ask(settings: RegistrySettings, address: str, port: int, with_system: bool = True) -> Serving:
    """Ask the registry behind an address of this host.

    :param settings: with the name, authority and login that a client would use.
    :param address: one that nginx listens on; an unspecified one is asked on the loopback interface.
    :param with_system: whether a client trusts the system's authorities too.
    """
    refusal = ""
    try:
        connection = _connect(settings, address, port, with_system)
    except ssl.SSLCertVerificationError as error:
        refusal = "the certificate that is served does not pass: %s" % error.verify_message.rstrip(".")
        try:
            connection = _connect(dataclasses.replace(settings, tls=UNVERIFIED, ca=None), address, port, with_system)
        except (OSError, ValueError):
            return Serving(refusal)
    except (OSError, ValueError) as error:
        return Serving("nothing answers on port %d (%s)" % (port, error))
    try:
        return _questions(connection, settings, refusal)
    except (OSError, http.client.HTTPException) as error:
        return Serving(refusal or "port %d gives no answer over HTTP (%s)" % (port, error))
    finally:
        connection.close()


def _connect(settings: RegistrySettings, address: str, port: int, with_system: bool) -> http.client.HTTPConnection:
    ip = ipaddress.ip_address(address)
    loopback = {4: "127.0.0.1", 6: "::1"}[ip.version]
    connection = http.client.HTTPConnection(settings.endpoint.host, port, timeout=_PATIENCE)
    connection.auto_open = 0  # else it would find its own, plain way to the host's name
    plain = socket.create_connection((loopback if ip.is_unspecified else address, port), _PATIENCE)
    if settings.tls == PLAIN:
        connection.sock = plain
        return connection
    try:
        context = kept_context(settings.tls, settings.ca, with_system)
        connection.sock = context.wrap_socket(plain, server_hostname=settings.endpoint.host)
    except BaseException:
        plain.close()
        raise
    return connection


def _questions(connection: http.client.HTTPConnection, settings: RegistrySettings, refusal: str) -> Serving:
    certificate = fingerprint(connection.sock) if isinstance(connection.sock, ssl.SSLSocket) else ""
    status, body = _get(connection, settings, STAMP_PATH)
    stamp = body.strip() if status == 200 and len(body) < 100 else ""
    anonymous, _body = _get(connection, settings, "/v2/")
    login = 0
    authorization = settings.basic_authorization
    if authorization:
        login, _body = _get(connection, settings, "/v2/", {"Authorization": authorization})
    fault = refusal or _fault(settings, anonymous, login)
    return Serving(fault, stamp, certificate, anonymous, login)


def _fault(settings: RegistrySettings, anonymous: int, login: int) -> str:
    if settings.username is None:
        return "" if anonymous == 200 else "/v2/ answers HTTP %d" % anonymous
    if anonymous != 401:
        return "/v2/ answers HTTP %d without a login, where 401 is wanted" % anonymous
    return "" if login == 200 else "/v2/ answers HTTP %d to user %s" % (login, settings.username)


def _get(
    connection: http.client.HTTPConnection,
    settings: RegistrySettings,
    path: str,
    headers: t.Optional[t.Mapping[str, str]] = None,
) -> t.Tuple[int, str]:
    connection.request("GET", path, headers={"Host": str(settings.endpoint), **(headers or {})})
    answer = connection.getresponse()
    return answer.status, answer.read(65536).decode("utf-8", "replace")
