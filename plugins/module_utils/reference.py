# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Image references and registry endpoints: parsed once, here, nowhere else.

What is parsed is canonical: the default registry and C(library/) are written out, C(index.docker.io) is C(docker.io),
and a host is lower case, because hosts do not differ by case and the directories under C(certs.d) do. ``str()`` of a
canonical value parses to that value. A port is kept as it was written: C(host) and C(host:443) are one server and two
names of a directory.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.digest import (
    BlobDigest,
    ConfigDigest,
    DiffId,
    Digest,
    IndexDigest,
    ManifestDigest,
)
from ansible_collections.longshore.delivery.plugins.module_utils.reference_grammar import (
    Flaw,
    InvalidReference,
    check_digest,
    check_host,
    check_no_image_id,
    check_port,
    check_repository,
    check_tag,
    check_text,
    looks_like_registry,
    shown,
)

__all__ = [
    "DOCKER_HUB",
    "BlobDigest",
    "ConfigDigest",
    "DiffId",
    "Digest",
    "Endpoint",
    "IndexDigest",
    "InvalidReference",
    "ManifestDigest",
    "Reference",
]

DOCKER_HUB = "docker.io"
_DOCKER_HUB_ALIAS = "index.docker.io"
_DOCKER_HUB_SERVER = "registry-1.docker.io"
_OFFICIAL = "library/"
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


@dataclasses.dataclass(frozen=True)
class Reference:
    """The name of an image: its registry, its repository there, and a tag, a digest, both or neither."""

    endpoint: Endpoint
    repository: str
    tag: t.Optional[str] = None
    digest: t.Optional[ManifestDigest] = None

    def __post_init__(self) -> None:
        try:
            check_repository(self.repository)
            if self.tag is not None:
                check_tag(self.tag)
            if self.digest is not None and not isinstance(self.digest, ManifestDigest):
                raise TypeError("the digest of a reference is a ManifestDigest, not a %s" % type(self.digest).__name__)
            if self.endpoint.is_docker_hub and "/" not in self.repository:
                raise Flaw("a repository of Docker Hub has two parts, as in 'library/debian'")
        except Flaw as flaw:
            raise InvalidReference("Invalid image reference %s: %s." % (shown(str(self)), flaw)) from None

    @classmethod
    def parse(cls, text: str, default_registry: t.Union[str, Endpoint] = DOCKER_HUB) -> Reference:
        """Make a reference from what a user wrote.

        :param default_registry: where an image is whose name begins with no registry.
        :raises InvalidReference: the text is no reference.
        """
        default = default_registry if isinstance(default_registry, Endpoint) else Endpoint.parse(default_registry)
        try:
            check_text(text)
            if "://" in text:
                raise Flaw("it has a scheme; leave %r away" % text[: text.index("://") + 3])
            check_no_image_id(text)
            named, at, digest_text = text.partition("@")
            digest = _digest(digest_text) if at else None
            first, slash, rest = named.partition("/")
            if slash and looks_like_registry(first):
                endpoint, path = Endpoint._from_host_and_port(first), rest
            elif first.startswith("["):
                raise Flaw("the repository is missing; write it after the registry, as in '[::1]:5000/shop/web'")
            else:
                endpoint, path = default, named
            repository, colon, tag = path.partition(":")
            check_repository(repository)
            if colon:
                check_tag(tag)
            if endpoint.is_docker_hub and "/" not in repository:
                repository = _OFFICIAL + repository
                check_repository(repository)
        except Flaw as flaw:
            raise InvalidReference("Invalid image reference %s: %s." % (shown(text), flaw)) from None
        return cls(endpoint, repository, tag if colon else None, digest)

    @property
    def name(self) -> str:
        """Registry and repository, as in 'docker.io/library/debian'."""
        return "%s/%s" % (self.endpoint, self.repository)

    @property
    def path(self) -> str:
        """What follows the registry: repository, tag and digest, as in 'library/debian:13'."""
        return self.repository + self._suffix

    @property
    def familiar(self) -> str:
        """The shortest text that parses to this reference, as Docker lists it: 'debian:13'."""
        if self.endpoint.is_docker_hub:
            for short in (self.repository[len(_OFFICIAL) :], self.repository):
                text = short + self._suffix
                if self.repository.endswith(short) and _parses_to(text, self):
                    return text
        return str(self)

    def with_tag(self, tag: str) -> Reference:
        """The same repository, this tag, no digest."""
        return dataclasses.replace(self, tag=tag, digest=None)

    def with_digest(self, digest: t.Union[ManifestDigest, IndexDigest], keep_tag: bool = False) -> Reference:
        """The same repository pinned to a digest, without the tag unless asked for. An index is served like a manifest.

        :raises TypeError: another kind of digest, which no registry serves under a reference.
        """
        if isinstance(digest, IndexDigest):
            digest = ManifestDigest(digest.algorithm, digest.encoded)
        return dataclasses.replace(self, tag=self.tag if keep_tag else None, digest=digest)

    def with_endpoint(self, endpoint: Endpoint) -> Reference:
        """The same repository, tag and digest in another registry."""
        return dataclasses.replace(self, endpoint=endpoint)

    @property
    def _suffix(self) -> str:
        return ("" if self.tag is None else ":" + self.tag) + ("" if self.digest is None else "@%s" % self.digest)

    def __str__(self) -> str:
        return self.name + self._suffix


def _digest(text: str) -> ManifestDigest:
    if "/" in text:
        raise Flaw("it has a user name; leave it away and set 'username' and 'password' of the registry")
    algorithm, colon, encoded = text.partition(":")
    if not colon:
        raise Flaw("after '@' comes a digest, as in 'web@sha256:...', and %r is none; write a tag after ':'" % text)
    if not encoded.strip("0123456789abcdefABCDEF") and encoded.lower() != encoded:
        raise Flaw("the digest has upper-case digits; write them in lower case")
    check_digest(algorithm, encoded)
    return ManifestDigest(algorithm, encoded)


def _parses_to(text: str, reference: Reference) -> bool:
    try:
        return Reference.parse(text) == reference
    except InvalidReference:
        return False
