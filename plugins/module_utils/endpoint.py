# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The endpoint of a registry: parsed once, here, nowhere else.

What is parsed is canonical: C(index.docker.io) is C(docker.io), and a host is lower case, because hosts do not differ by case
and the directories under C(certs.d) do. ``str()`` of a canonical value parses to that value. A port is kept as it was written:
C(host) and C(host:443) are one server and two names of a directory.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.reference_grammar import (
    Flaw,
    InvalidReference,
    check_host,
    check_port,
    check_text,
    looks_like_registry,
    shown,
)

DOCKER_HUB = "docker.io"
_DOCKER_HUB_ALIAS = "index.docker.io"
_DOCKER_HUB_SERVER = "registry-1.docker.io"
_DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """A registry's host and, if one was written, its port. An IPv6 host is kept without its brackets."""

    host: str
    port: t.Optional[int] = None

    def __post_init__(self) -> None:
        try:
            check_host(self.host)
            if self.port is not None:
                check_port(str(self.port))
            if self.host != _canonical_host(self.host, self.port):
                raise Flaw("the host is not canonical; use Endpoint.parse")
        except Flaw as flaw:
            raise InvalidReference("Invalid registry endpoint %s: %s." % (shown(str(self)), flaw)) from None

    @classmethod
    def parse(cls, text: str) -> Endpoint:
        """Make an endpoint from 'registry.example:5000', '10.0.0.1:5000', '[::1]:5000', 'localhost' or 'docker.io'.

        :raises InvalidReference: the text has a scheme, a path or a user name, or is no host with a port.
        """
        try:
            check_text(text)
            if "://" in text:
                raise Flaw(
                    "it has a scheme; leave %r away and say by 'tls' (verified, unverified or plain) what is spoken"
                    % text[: text.index("://") + 3]
                )
            if "@" in text:
                raise Flaw("it has a user name; leave it away and set 'username' and 'password'")
            if "/" in text:
                raise Flaw("it has a path; write host and port only, and the path in the image's name")
            if text.count(":") > 1 and not text.startswith("["):
                raise Flaw("an IPv6 address is written in brackets, as in '[2001:db8::1]:5000'")
            if not looks_like_registry(text):
                check_host(text)
                raise Flaw(
                    "in front of an image's name it would be read as the first part of a path; write its port, as in "
                    "'%s:443', or its full name with a dot" % text
                )
            return cls._from_host_and_port(text)
        except Flaw as flaw:
            raise InvalidReference("Invalid registry endpoint %s: %s." % (shown(text), flaw)) from None

    @classmethod
    def _from_host_and_port(cls, text: str) -> Endpoint:
        """:raises Flaw: it is neither 'host' nor 'host:port'."""
        if text.startswith("["):
            host, bracket, rest = text[1:].partition("]")
            if not bracket:
                raise Flaw("the ']' after the IPv6 address is missing")
            if rest and not rest.startswith(":"):
                raise Flaw("between ']' and the port must be a ':'")
            if ":" not in host:
                raise Flaw("%r in brackets is no IPv6 address" % host)
            colon, digits = rest[:1], rest[1:]
        else:
            host, colon, digits = text.partition(":")
        check_host(host)
        if colon:
            check_port(digits)
        port = int(digits) if colon else None
        return cls(_canonical_host(host, port), port)

    @property
    def host_port(self) -> str:
        """'host:port' or 'host', as a reference begins with it and as the runtimes' directories are named."""
        return str(self)

    @property
    def is_docker_hub(self) -> bool:
        return self.port is None and self.host == DOCKER_HUB

    def address(self, scheme: str) -> t.Tuple[str, int]:
        """Host and port to connect to by C(https) or C(http); Docker Hub's API has a host of its own."""
        return (
            _DOCKER_HUB_SERVER if self.is_docker_hub else self.host,
            _DEFAULT_PORTS[scheme] if self.port is None else self.port,
        )

    def same_server(self, other: Endpoint, scheme: str = "https") -> bool:
        """Whether both reach the same host and port by C(https) or C(http): 'host' and 'host:443' do by https."""

        def place(endpoint: Endpoint) -> t.Tuple[str, int]:
            host, port = endpoint.address(scheme)
            return (ipaddress.IPv6Address(host).exploded if ":" in host else host.lower()), port

        return place(self) == place(other)

    def __str__(self) -> str:
        host = "[%s]" % self.host if ":" in self.host else self.host
        return host if self.port is None else "%s:%d" % (host, self.port)


def _canonical_host(host: str, port: t.Optional[int]) -> str:
    """Lower case, but a bare name without dot and port in upper case: only that tells it from the first part of a path."""
    lower = host.lower()
    if port is None:
        if lower == _DOCKER_HUB_ALIAS:
            return DOCKER_HUB
        if not looks_like_registry(lower):
            return host.upper()
    return lower
