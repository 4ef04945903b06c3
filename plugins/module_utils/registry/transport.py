# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""HTTP to a registry: one kept connection, redirections, and every failure as a C(RegistryError)."""

from __future__ import annotations

import dataclasses
import http.client
import ssl
import typing as t
from urllib.parse import urljoin, urlsplit

from ansible_collections.longshore.delivery.plugins.module_utils.registry.errors import (
    Answer,
    RegistryError,
    speaks_tls_after_all,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.faults import (
    SPEAKS_TLS,
    connection_fault,
    speaks_tls,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import (
    PLAIN,
    VERIFIED,
    RegistrySettings,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.tls import kept_context

_REDIRECTIONS = (301, 302, 303, 307, 308)
_MOST_REDIRECTIONS = 5
_REFUSAL_LIMIT = 1024 * 1024  # bytes of what is said in the place of a body
# An idle connection that the server has closed meanwhile fails in one of these ways before any byte of an answer.
_STALE = (
    http.client.RemoteDisconnected,
    ConnectionResetError,
    ConnectionAbortedError,
    BrokenPipeError,
    ssl.SSLEOFError,
    ssl.SSLZeroReturnError,
)


class Origin(t.NamedTuple):
    """Where a connection goes."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Origin:
        """:raises ValueError: the address has another scheme than http or https, or no host, or a wrong port."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("neither http nor https, or without a host")
        return cls(parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80))

    @property
    def url(self) -> str:
        host = "[%s]" % self.host if ":" in self.host else self.host
        default = 443 if self.scheme == "https" else 80
        return "%s://%s%s" % (self.scheme, host, "" if self.port == default else ":%d" % self.port)


@dataclasses.dataclass(frozen=True)
class Request:
    """What is sent.

    :param url: absolute, or a path of the registry.
    :param limit: the most bytes that the body of the answer may have; None for any number.
    """

    method: str
    url: str
    headers: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    body: t.Optional[bytes] = None
    limit: t.Optional[int] = None

    @property
    def target(self) -> str:
        """Path and query: what a server is asked for."""
        parts = urlsplit(self.url)
        return parts.path + ("?" + parts.query if parts.query else "")

    def with_headers(self, headers: t.Mapping[str, str]) -> Request:
        """The same with these headers beside its own."""
        return dataclasses.replace(self, headers={**self.headers, **headers})

    def sent_on(self, url: str, keeps_login: bool) -> Request:
        """The same to another address.

        :param keeps_login: whether the header Authorization goes there too.
        """
        headers = {name: value for name, value in self.headers.items() if keeps_login or name != "Authorization"}
        return dataclasses.replace(self, url=url, headers=headers)


class Body:
    """The body of an answer, read while it comes.

    :param fault: what to raise for what goes wrong while it does.
    """

    def __init__(
        self,
        connection: http.client.HTTPConnection,
        response: http.client.HTTPResponse,
        fault: t.Callable[[Exception], RegistryError],
    ) -> None:
        self._connection = connection
        self._response = response
        self._fault = fault

    def read(self, size: int, /) -> bytes:
        """:raises RegistryError: the connection ends or is silent before the body is whole."""
        try:
            piece = self._response.read(size)
            if not piece and self._response.length:
                raise http.client.IncompleteRead(
                    b"", self._response.length
                )  # a limited read does not raise it by itself
        except (OSError, http.client.HTTPException) as error:
            raise self._fault(error) from None
        return piece

    def close(self) -> None:
        self._response.close()
        self._connection.close()


class Transport:
    """Exchanges with one registry and with where it sends its clients. Not for use by several threads at once.

    :param timeout: in seconds, for connecting and for each wait for bytes.
    """

    def __init__(self, settings: RegistrySettings, timeout: float) -> None:
        self.settings = settings
        host, port = settings.endpoint.address(settings.scheme)
        self.origin = Origin(settings.scheme, host.lower(), port)
        self._timeout = timeout
        self._kept: t.Optional[http.client.HTTPConnection] = None
        # A given authority is enough where it vouches, and the system's, of which there are many, are not loaded.
        self._with_system = settings.ca is None

    def close(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def exchange(self, request: Request) -> Answer:
        """Send a request and read the whole answer, whatever its status is.

        Redirections of GET and HEAD are followed; the header Authorization goes to the first server only.

        :raises RegistryError: there is no answer.
        """
        return self._followed(request, self._send)

    def begin(self, request: Request) -> t.Tuple[Answer, t.Optional[Body]]:
        """Send a GET by a connection of its own, and leave the body of a success to be read while it comes.

        :returns: the answer, and its body where the status is 200; that is to be closed.
        :raises RegistryError: there is no answer.
        """
        bodies: t.List[Body] = []

        def send(origin: Origin, request: Request) -> Answer:
            answer, body = self._begin(origin, request)
            bodies.extend([body] if body else [])
            return answer

        answer = self._followed(request, send)
        return answer, bodies[0] if bodies else None

    def _followed(self, request: Request, send: t.Callable[[Origin, Request], Answer]) -> Answer:
        request = dataclasses.replace(request, url=urljoin(self.origin.url + "/", request.url))
        first = self._origin(request.url)
        for _hop in range(_MOST_REDIRECTIONS + 1):
            answer = send(self._origin(request.url), request)
            location = answer.headers.get("location")
            if answer.status not in _REDIRECTIONS or request.method not in ("GET", "HEAD") or not location:
                return answer
            url = urljoin(request.url, location)
            request = request.sent_on(url, keeps_login=self._origin(url) == first)
        raise self.error("other", "it redirects more than %d times for one request." % _MOST_REDIRECTIONS)

    def error(self, kind: str, cause: str, origin: t.Optional[Origin] = None) -> RegistryError:
        """An error of this registry, which says so where another server than the registry itself is at fault."""
        if origin is not None and origin != self.origin:
            cause = "it sends its clients on to %s, and there: %s" % (origin.url, cause)
        return RegistryError(str(self.settings.endpoint), kind, cause)

    def _origin(self, url: str) -> Origin:
        try:
            origin = Origin.of(url)
        except ValueError as error:
            raise self.error("other", "it sends its clients to an address that is none (%s)." % error) from None
        if origin.scheme == "http" and self.settings.tls == VERIFIED:
            raise self.error(
                "tls",
                "it sends its clients on to %s, without TLS. If a server in front of it terminates TLS, that must pass on "
                "Host and X-Forwarded-Proto." % origin.url,
            )
        return origin

    def _send(self, origin: Origin, request: Request) -> Answer:
        kept = origin == self.origin
        connection = self._kept if kept and self._kept is not None else self._open(origin)
        if kept:
            self._kept = connection
        try:
            answer = _exchange_again_if_stale(connection, request)
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            connection.close()
            if self._may_be_vouched_for(error):
                return self._send(origin, request)
            raise self._fault(error, origin) from None
        finally:
            if not kept:
                connection.close()
        if answer is None:
            connection.close()
            limit = request.limit or 0
            raise self.error(
                "other", "its answer has more than the %d bytes that such a document may have." % limit, origin
            )
        if origin.scheme == "http" and (
            speaks_tls_after_all(answer)
            or (request.method == "HEAD" and answer.status == 400 and speaks_tls(*origin[1:], self._timeout))
        ):
            raise self.error(*SPEAKS_TLS, origin)
        return answer

    def _begin(self, origin: Origin, request: Request) -> t.Tuple[Answer, t.Optional[Body]]:
        connection = self._open(origin)
        try:
            connection.request(request.method, request.target, headers=dict(request.headers))
            response = connection.getresponse()
            if response.status == 200:
                headers = _headers(response)
                return Answer(response.status, response.reason, headers, b""), Body(
                    connection, response, lambda error: self._fault(error, origin)
                )
            answer = Answer(response.status, response.reason, _headers(response), response.read(_REFUSAL_LIMIT))
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            connection.close()
            if self._may_be_vouched_for(error):
                return self._begin(origin, request)
            raise self._fault(error, origin) from None
        connection.close()
        return answer, None

    def _may_be_vouched_for(self, error: Exception) -> bool:
        """Whether to try again: the given authorities do not vouch for it, those of the system may. Nothing was sent yet."""
        if not isinstance(error, ssl.SSLCertVerificationError) or self._with_system:
            return False
        self._with_system, self._kept = True, None
        return True

    def _fault(self, error: Exception, origin: Origin) -> RegistryError:
        kind, cause = connection_fault(error, self.settings, origin.scheme, origin.host, origin.port, self._timeout)
        return self.error(kind, cause, origin)

    def _open(self, origin: Origin) -> http.client.HTTPConnection:
        if origin.scheme == "http":
            return http.client.HTTPConnection(origin.host, origin.port, timeout=self._timeout)
        # A plain registry may send its clients on to a server with TLS, which is then verified.
        tls = VERIFIED if self.settings.tls == PLAIN else self.settings.tls
        # it is for the registry alone: not for token services, nor for where blobs are
        is_registry = (origin.host, origin.port) == self.settings.endpoint.address(self.settings.scheme)
        client = self.settings.client if is_registry else None
        context = kept_context(tls, self.settings.ca, self._with_system, client)
        return http.client.HTTPSConnection(origin.host, origin.port, timeout=self._timeout, context=context)


def _exchange_again_if_stale(connection: http.client.HTTPConnection, request: Request) -> t.Optional[Answer]:
    """Repeat once on a connection that was kept and is dead: every request of this protocol may be repeated."""
    used = connection.sock is not None
    try:
        return _exchange(connection, request)
    except _STALE:
        connection.close()
        if not used:
            raise
    return _exchange(connection, request)


def _exchange(connection: http.client.HTTPConnection, request: Request) -> t.Optional[Answer]:
    """:returns: the answer, or None if its body is longer than the limit."""
    try:
        connection.request(request.method, request.target, body=request.body, headers=dict(request.headers))
    except (BrokenPipeError, ConnectionResetError):
        # A server may refuse a body while it is being sent, and have said why.
        if not request.body or connection.sock is None:
            raise
    response = connection.getresponse()
    limit = request.limit
    content = response.read() if limit is None else response.read(limit + 1)
    if limit is not None and len(content) > limit:
        return None
    if limit is not None and response.length:
        raise http.client.IncompleteRead(content, response.length)  # a limited read does not raise it by itself
    return Answer(response.status, response.reason, _headers(response), content)


def _headers(response: http.client.HTTPResponse) -> t.Dict[str, str]:
    received: t.Dict[str, str] = {}
    for name, value in response.getheaders():
        key = name.lower()
        received[key] = "%s, %s" % (received[key], value) if key in received else value
    return received
