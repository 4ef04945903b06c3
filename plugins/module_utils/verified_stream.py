# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Bytes that are read while they come, and have at their end the digest that they should have."""

from __future__ import annotations

import hashlib
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.digest import Digest


class Readable(t.Protocol):
    """What bytes are read from, some at a time: at most as many as asked for, none at the end alone."""

    def read(self, size: int, /) -> bytes: ...


class VerifiedStream:
    """
    :param mismatch: makes what is raised at the end where it is another digest, from the digest that it is.
    """

    def __init__(self, stream: Readable, digest: Digest, mismatch: t.Callable[[Digest], Exception]) -> None:
        self._stream = stream
        self._digest = digest
        self._mismatch = mismatch
        self._hash = hashlib.new(digest.algorithm)

    def read(self, size: int, /) -> bytes:
        piece = self._stream.read(size)
        if piece:
            self._hash.update(piece)
        elif self._hash.hexdigest() != self._digest.encoded:
            raise self._mismatch(type(self._digest)(self._digest.algorithm, self._hash.hexdigest()))
        return piece
