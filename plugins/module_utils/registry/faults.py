# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Why a connection failed: the exception of the standard library, and where that is ambiguous, one look at the server."""

from __future__ import annotations

import errno
import http.client
import socket
import ssl
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.registry.clock import seconds_of
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.registry.tls import certificate_fault, peer_certificate

SPEAKS_TLS = (
    "http_on_https",
    "it speaks TLS, and 'tls' is plain. Set 'tls' to verified (with 'ca' if its authority is private).",
)
SPEAKS_HTTP = (
    "https_on_http",
    "it speaks plain HTTP, not TLS. Set 'tls' to plain if that is wanted, or put TLS in front of it.",
)
_NO_WAY = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EADDRNOTAVAIL)
# Which of the two a hang-up is depends on the versions of Python and OpenSSL.
# alerts of a server about what a client shows it (RFC 8446, 6.2), as OpenSSL names them
_OF_CLIENT_CERTIFICATES = (
    "CERTIFICATE_REQUIRED",
    "ALERT_BAD_CERTIFICATE",
    "ALERT_UNKNOWN_CA",
    "ALERT_CERTIFICATE_EXPIRED",
)
_TLS_CUT = (ssl.SSLEOFError, ssl.SSLZeroReturnError)
_CUT = (http.client.RemoteDisconnected, ConnectionError, *_TLS_CUT)


def connection_fault(
    error: Exception, settings: RegistrySettings, scheme: str, host: str, port: int, timeout: float
) -> t.Tuple[str, str]:
    """The kind of error (see C(errors.KINDS)) and its cause with the way out.

    :param timeout: in seconds, also for the look at the server.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        certificate = peer_certificate(host, port, timeout)
        return certificate_fault(error, settings, host, certificate, lambda: _clock(host, port, timeout))
    if isinstance(error, (socket.gaierror, UnicodeError)):
        return "name", "the name %r is not known here (%s). Check the name, or how this machine resolves names." % (
            host,
            getattr(error, "strerror", None) or error,
        )
    if isinstance(error, (socket.timeout, TimeoutError)):
        return "timeout", (
            "no answer from %s port %d within %g s. Check the address, a firewall that drops packets, and whether the registry "
            "is overloaded." % (host, port, timeout)
        )
    if isinstance(error, ConnectionRefusedError):
        return "refused", "nothing takes connections at %s port %d. Check the port, and whether the registry runs." % (
            host,
            port,
        )
    if isinstance(error, OSError) and error.errno in _NO_WAY:
        return "refused", "there is no way from here to %s (%s). Check the address and the routes." % (
            host,
            error.strerror,
        )
    if scheme == "https" and isinstance(error, (ssl.SSLError, ConnectionError)):
        if _speaks_http(host, port, timeout):
            return SPEAKS_HTTP
        if isinstance(error, _CUT):
            # Where the server hung up while the request was being sent, its TLS alert was not read.
            error = _alert(host, port, timeout) or error
        return "tls", _handshake_fault(error, settings.client is not None)
    if scheme == "http" and isinstance(error, (*_CUT, http.client.BadStatusLine)) and speaks_tls(host, port, timeout):
        return SPEAKS_TLS
    if isinstance(error, _CUT):
        return "other", "it closed the connection without an answer (%s). Its own log says more." % error
    if isinstance(error, http.client.HTTPException):
        return "other", "its answer is no HTTP, or is cut short (%s: %s)." % (type(error).__name__, error)
    return "other", "the connection failed: %s." % error


def _handshake_fault(error: Exception, shows_certificate: bool) -> str:
    reason = str(getattr(error, "reason", None) or error)
    if any(alert in reason for alert in _OF_CLIENT_CERTIFICATES):
        if shows_certificate:
            return (
                "it does not take the client certificate that it is shown (%s). Give one by an authority that it knows, and that "
                "has not expired." % reason
            )
        return "it demands a client certificate (%s). Give one by 'client_certificate' and 'client_key'." % reason
    if not isinstance(error, _CUT):
        return "the TLS handshake fails (%s). Check which TLS versions and ciphers the server allows." % reason
    return "it breaks the connection off during TLS (%s). Its own log says more." % reason


def _speaks_http(host: str, port: int, timeout: float) -> bool:
    """Whether the server answers a plain request as HTTP servers do, and not with "this is a TLS port"."""
    request = "GET /v2/ HTTP/1.0\r\nHost: %s\r\nConnection: close\r\n\r\n" % host
    received = b""
    try:
        with socket.create_connection((host, port), timeout) as plain:
            plain.sendall(request.encode("ascii", "replace"))
            while len(received) < 4096:
                part = plain.recv(4096)
                if not part:
                    break
                received += part
    except OSError:
        pass
    return received.startswith(b"HTTP/") and b"HTTPS" not in received and b"SSL-enabled" not in received


def _alert(host: str, port: int, timeout: float) -> t.Optional[ssl.SSLError]:
    """The TLS alert with which the server ends a connection before any request, if it sends one."""
    context = _believes_anyone()
    try:
        with (
            socket.create_connection((host, port), timeout) as plain,
            context.wrap_socket(plain, server_hostname=host) as tls,
        ):
            tls.settimeout(min(timeout, 2.0))
            tls.recv(1)
    except _TLS_CUT:
        return None
    except ssl.SSLError as error:
        return error
    except (OSError, ValueError):
        return None
    return None


def _clock(host: str, port: int, timeout: float) -> t.Optional[float]:
    """What the server's clock says, in seconds since 1970, though its certificate does not pass; None where it says nothing."""
    connection = http.client.HTTPSConnection(host, port, timeout=timeout, context=_believes_anyone())
    try:
        connection.request("GET", "/v2/")
        return seconds_of(connection.getresponse().getheader("Date"))
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _believes_anyone() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def speaks_tls(host: str, port: int, timeout: float) -> bool:
    """Whether a TLS handshake succeeds there, whatever the certificate is."""
    context = _believes_anyone()
    try:
        with socket.create_connection((host, port), timeout) as plain, context.wrap_socket(plain, server_hostname=host):
            return True
    except (OSError, ValueError):
        return False
