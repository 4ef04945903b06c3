# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The kinds of digest. They look alike and mean different things: each is a type, and comparing two kinds is an error."""

from __future__ import annotations

import dataclasses
import hashlib
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.reference_grammar import (
    Flaw,
    InvalidReference,
    check_digest,
    check_text,
    shown,
)

AnyDigest = t.TypeVar("AnyDigest", bound="Digest")


@dataclasses.dataclass(frozen=True, eq=False)
class Digest:
    """An algorithm (sha256, sha384 or sha512) and its hexadecimal digits. Only the kinds below are made.

    ``==``, ``!=`` and ``<`` between two kinds, or between a digest and a text, raise C(TypeError): such a comparison is a
    mistake that would otherwise be a silent False. C(None) and other things are unequal as usual.
    """

    algorithm: str
    encoded: str
    what: t.ClassVar[str] = "digest"

    def __post_init__(self) -> None:
        if self.__class__ is Digest:
            raise TypeError("a digest is of a kind: make one of the subclasses of Digest")
        try:
            check_digest(self.algorithm, self.encoded)
        except Flaw as flaw:
            raise InvalidReference("Invalid %s %s: %s." % (self.what, shown(str(self)), flaw)) from None

    @classmethod
    def parse(cls: t.Type[AnyDigest], text: str) -> AnyDigest:
        """Make a digest from 'sha256:<64 digits>', 'sha384:<96 digits>' or 'sha512:<128 digits>'.

        :raises InvalidReference: the text is something else.
        """
        try:
            check_text(text)
            algorithm, colon, encoded = text.partition(":")
            if not colon:
                raise Flaw("the algorithm before ':' is missing; write it as in 'sha256:...'")
            check_digest(algorithm, encoded)
        except Flaw as flaw:
            raise InvalidReference("Invalid %s %s: %s." % (cls.what, shown(text), flaw)) from None
        return cls(algorithm, encoded)

    @classmethod
    def of(cls: t.Type[AnyDigest], data: bytes, algorithm: str = "sha256") -> AnyDigest:
        """The digest of these bytes."""
        return cls(algorithm, hashlib.new(algorithm, data).hexdigest())

    def matches(self, data: bytes) -> bool:
        """Whether these bytes have this digest."""
        return hashlib.new(self.algorithm, data).hexdigest() == self.encoded

    @property
    def short(self) -> str:
        """The first twelve digits, for a line that a person reads."""
        return self.encoded[:12]

    def __str__(self) -> str:
        return "%s:%s" % (self.algorithm, self.encoded)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (Digest, str)):
            return NotImplemented
        return self._key() == self._key_of(other)

    def __lt__(self, other: object) -> bool:
        return self._key() < self._key_of(other)

    def __le__(self, other: object) -> bool:
        return self._key() <= self._key_of(other)

    def __gt__(self, other: object) -> bool:
        return self._key() > self._key_of(other)

    def __ge__(self, other: object) -> bool:
        return self._key() >= self._key_of(other)

    def __hash__(self) -> int:
        # The kind is part of it: two kinds in one set do not meet, so that no lookup raises.
        return hash((type(self).__name__, self.algorithm, self.encoded))

    def _key(self) -> t.Tuple[str, str]:
        return self.algorithm, self.encoded

    def _key_of(self, other: object) -> t.Tuple[str, str]:
        if isinstance(other, Digest) and type(other) is type(self):
            return other._key()
        other_kind = other.what if isinstance(other, Digest) else type(other).__name__
        raise TypeError("a %s cannot be compared with a %s" % (self.what, other_kind))


class ManifestDigest(Digest):
    """What a registry serves under a reference: the digest of a manifest's bytes (be it of one image or of an index)."""

    what = "manifest digest"


class IndexDigest(Digest):
    """The digest of a list of manifests by platform; a node runs one of its children."""

    what = "index digest"


class ConfigDigest(Digest):
    """The digest of an image's configuration, which Docker's classic store calls the image ID."""

    what = "config digest"


class DiffId(Digest):
    """The digest of an uncompressed layer."""

    what = "diffID"


class BlobDigest(Digest):
    """The digest of a blob as a registry stores it: of a compressed layer, most often."""

    what = "blob digest"
