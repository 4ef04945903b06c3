# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""A tar archive read once from its beginning to its end, with no more of it in memory than a block."""

from __future__ import annotations

import tarfile
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.audit.uncompressed import UnreadableLayer

_DAMAGED = "its tar archive is damaged: %s. Fetch or build the image again."


class TarStream:
    """The members of an archive in its order, each with its bytes while it is the current one.

    C(tarfile) reads the headers, with all their dialects. In its own stream mode it keeps every member it has seen and copies
    every byte twice; here it is given a file that only goes forward.
    """

    def __init__(self, blocks: t.Iterator[bytes]) -> None:
        self._file = _ForwardFile(blocks)

    @property
    def position(self) -> int:
        """How many bytes of the archive were read."""
        return self._file.tell()

    def members(self) -> t.Iterator[t.Tuple[tarfile.TarInfo, t.Iterator[bytes]]]:
        """Each member with its stored bytes in pieces. What is left of them when the next one is asked for is passed over.

        :raises UnreadableLayer: a header is none, or the archive ends within a member.
        """
        if not self._file.peek():
            return  # an empty layer may have no bytes at all
        try:
            archive = tarfile.TarFile(
                fileobj=t.cast("t.IO[bytes]", self._file), encoding="utf-8", errors="surrogateescape"
            )
            while True:
                member = archive.next()
                if member is None:
                    break
                t.cast("t.Any", archive).members = []  # it would keep them all
                # of a sparse file fewer bytes are stored than it has; what is stored ends where the next header begins
                stored = min(member.size, archive.offset - member.offset_data) if member.isreg() else 0
                yield member, self._file.pieces(stored)
                self._file.go_to(archive.offset)
        except tarfile.TarError as error:
            raise UnreadableLayer(_DAMAGED % error) from None
        # tarfile takes a header that is none for the end, unless it is the first
        if self._file.last_read.strip(b"\0"):
            raise UnreadableLayer(_DAMAGED % ("no header at byte %d" % (self._file.tell() - len(self._file.last_read))))
        self._file.drain()


class _ForwardFile:
    """Blocks as the file that C(tarfile) needs."""

    def __init__(self, blocks: t.Iterator[bytes]) -> None:
        self._blocks = blocks
        self._block = b""
        self._start = 0  # of the unread part of the block
        self._position = 0
        self.last_read = b""

    def tell(self) -> int:
        return self._position

    def peek(self) -> bool:
        """Whether anything is left."""
        while self._start == len(self._block):
            block = next(self._blocks, None)
            if block is None:
                return False
            self._block, self._start = block, 0
        return True

    def read(self, size: int) -> bytes:
        pieces = list(self._up_to(size))
        self.last_read = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        return self.last_read

    def seek(self, position: int) -> None:
        """Forward only; C(tarfile) asks for no more as long as what a member holds is passed over before the next one."""
        if position < self._position:
            raise tarfile.ReadError("it would have to be read a second time from byte %d" % position)
        self.go_to(position)

    def pieces(self, size: int) -> t.Iterator[bytes]:
        """The next bytes, in pieces as they come."""
        end = self._position + size
        yield from self._up_to(size)
        if self._position < end:
            raise tarfile.ReadError("it ends at byte %d within a file" % self._position)

    def go_to(self, position: int) -> None:
        for _piece in self.pieces(max(0, position - self._position)):
            pass

    def drain(self) -> None:
        """Read to the end: what compresses may have a checksum there."""
        while self.peek():
            self._start = len(self._block)

    def _up_to(self, size: int) -> t.Iterator[bytes]:
        while size and self.peek():
            piece = self._block[self._start : self._start + size]
            self._start += len(piece)
            self._position += len(piece)
            size -= len(piece)
            yield piece
