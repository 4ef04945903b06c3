# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Image references: parsed once, here, nowhere else.

What is parsed is canonical: the default registry and C(library/) are written out, and the endpoint is one of C(endpoint.py).
``str()`` of a canonical value parses to that value.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.digest import (
    BlobDigest,
    ConfigDigest,
    DiffId,
    Digest,
    IndexDigest,
    ManifestDigest,
)
from ansible_collections.longshore.delivery.plugins.module_utils.endpoint import DOCKER_HUB, Endpoint
from ansible_collections.longshore.delivery.plugins.module_utils.reference_grammar import (
    Flaw,
    InvalidReference,
    check_digest,
    check_no_image_id,
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

_OFFICIAL = "library/"


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
