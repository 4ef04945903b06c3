# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""HTTP to a Docker engine with the standard library alone: by its socket, by TCP, and by TLS with a client's certificate."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import ssl
import typing as t
from urllib.parse import urlsplit

from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import (
    CERTIFICATE_FILES,
    DockerAddress,
    InvalidAddress,
)

UNIX, TCP = "unix://", "tcp://"
# OpenSSL's verification flags; the ssl module names the second one since Python 3.10
_STRICT, _PARTIAL_CHAIN = 0x20, 0x80000
# how an idle connection fails that the other end has closed meanwhile, before any byte of an answer
_STALE = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
# what goes wrong while an engine is waited for
FAULTS = (OSError, http.client.HTTPException)


class Response(t.Protocol):
    """An answer, its body read while it comes."""

    @property
    def status(self) -> int: ...

    def read(self, size: int, /) -> bytes: ...


class EngineTransport(t.Protocol):
    """What carries requests to an engine. Every request that it is given may be repeated."""

    def answer(self, method: str, path: str, headers: t.Mapping[str, str], seconds: float) -> t.Tuple[int, bytes]:
        """Status and body.

        :param seconds: the most that it may be silent.
        """

    def begun(self, method: str, path: str, headers: t.Mapping[str, str], seconds: float) -> t.ContextManager[Response]:
        """An answer that is read while it comes, by a connection of its own."""

    def close(self) -> None: ...


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class HttpTransport:
    """One kept connection to an engine, of a socket one for each request; whatever of C(FAULTS) happens passes through.

    :raises InvalidAddress: the address has no host or no port.
    """

    def __init__(self, address: DockerAddress) -> None:
        self._address = address
        self._path = address.host[len(UNIX) :] if address.host.startswith(UNIX) else ""
        self._host, self._port = ("", 0) if self._path else _host_and_port(address)
        self._kept: t.Optional[http.client.HTTPConnection] = None

    def answer(self, method: str, path: str, headers: t.Mapping[str, str], seconds: float) -> t.Tuple[int, bytes]:
        if self._kept is None:
            self._kept = self._connection(seconds)
        connection, is_kept = self._kept, False
        try:
            answer = _answer(connection, method, path, headers, seconds)
            is_kept = not self._path
            return answer
        finally:
            if not is_kept:
                connection.close()  # what of an answer is left in it would be taken for the next one's

    @contextlib.contextmanager
    def begun(
        self, method: str, path: str, headers: t.Mapping[str, str], seconds: float
    ) -> t.Iterator[http.client.HTTPResponse]:
        with contextlib.closing(self._connection(seconds)) as connection:
            yield _response(connection, method, path, headers)

    def close(self) -> None:
        if self._kept is not None:
            self._kept.close()

    def _connection(self, seconds: float) -> http.client.HTTPConnection:
        if self._path:
            return _UnixConnection(self._path, seconds)
        if not self._address.certificates:
            return http.client.HTTPConnection(self._host, self._port, timeout=seconds)
        context = _context(self._address.certificates)
        return http.client.HTTPSConnection(self._host, self._port, timeout=seconds, context=context)


def _answer(
    connection: http.client.HTTPConnection, method: str, path: str, headers: t.Mapping[str, str], seconds: float
) -> t.Tuple[int, bytes]:
    """Status and body, by a connection that is opened where it is not."""
    was_open = connection.sock is not None
    try:
        return _exchanged(connection, method, path, headers, seconds)
    except _STALE:
        connection.close()
        if not was_open:
            raise
    return _exchanged(connection, method, path, headers, seconds)


def _exchanged(
    connection: http.client.HTTPConnection, method: str, path: str, headers: t.Mapping[str, str], seconds: float
) -> t.Tuple[int, bytes]:
    connection.timeout = seconds
    if connection.sock is not None:
        connection.sock.settimeout(seconds)
    response = _response(connection, method, path, headers)
    return response.status, response.read()


def _response(
    connection: http.client.HTTPConnection, method: str, path: str, headers: t.Mapping[str, str]
) -> http.client.HTTPResponse:
    try:
        connection.request(method, path, headers=dict(headers))
    except _STALE:
        # who refuses a client's certificate closes the connection, and has said why before
        if connection.sock is None:
            raise
    return connection.getresponse()


def may_be_proxied(address: DockerAddress) -> bool:
    """Whether the environment names a proxy for it, if perhaps not for this very host."""
    if address.host.startswith(UNIX):
        return False
    scheme = "https" if address.certificates else "http"
    names = ("%s_proxy" % scheme, "all_proxy")
    return any(os.environ.get(name) or os.environ.get(name.upper()) for name in names)


def _host_and_port(address: DockerAddress) -> t.Tuple[str, int]:
    try:
        parts = urlsplit(address.host)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port:
        raise InvalidAddress(
            "The Docker engine's address %s has no host or no port. Write it as tcp://host:port." % address.host
        )
    return host, port


def _context(directory: str) -> ssl.SSLContext:
    """Of a directory with CERTIFICATE_FILES. It takes of the engine's certificate what the docker command takes: by Go's verifier
    an authority need not say what its key is for, on which Python insists since 3.13, and an intermediate one is one.
    """
    authority, certificate, key = (os.path.join(directory, name) for name in CERTIFICATE_FILES)
    context = ssl.create_default_context(cafile=authority)
    context.verify_flags = ssl.VerifyFlags((int(context.verify_flags) & ~_STRICT) | _PARTIAL_CHAIN)
    context.hostname_checks_common_name = False
    context.load_cert_chain(certificate, key)
    return context
