# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""A tar archive read once from its beginning to its end, with no more of it in memory than a block."""

from __future__ import annotations

import io
import tarfile
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.audit.tar_header import (
    BLOCK,
    Member,
    extended,
    extended_size,
    plain,
)
from ansible_collections.longshore.delivery.plugins.module_utils.audit.uncompressed import UnreadableLayer

_DAMAGED = "its tar archive is damaged: %s. Fetch or build the image again."


class TarStream:
    """The members of an archive in its order, each with its bytes while it is the current one.

    C(tarfile) reads the headers that are not as nearly all are. In its own stream mode it keeps every member it has seen and
    copies every byte twice; here it is given a file that only goes forward.
    """

    def __init__(self, blocks: t.Iterator[bytes]) -> None:
        self._file = _ForwardFile(blocks)
        self._archive: t.Optional[tarfile.TarFile] = None

    @property
    def position(self) -> int:
        """How many bytes of the archive were read."""
        return self._file.tell()

    def members(self) -> t.Iterator[t.Tuple[Member, t.Iterator[bytes]]]:
        """Each member with its stored bytes in pieces. What is left of them when the next one is asked for is passed over.

        :raises UnreadableLayer: a header is none, or the archive ends within a member.
        """
        try:
            while True:
                found = self._next()
                if found is None:
                    break
                # of a sparse file fewer bytes are stored than it has; what is stored ends where the next header begins
                member, end = found
                stored = min(member.size, end - self._file.tell()) if member.is_file else 0
                yield member, self._file.pieces(stored)
                self._file.go_to(end)
        except tarfile.TarError as error:
            raise UnreadableLayer(_DAMAGED % error) from None
        self._file.drain()

    def _next(self) -> t.Optional[t.Tuple[Member, int]]:
        """The next member, and where its bytes end and another header begins; None at the end."""
        if (
            self._archive is None or not self._archive.pax_headers
        ):  # of what is said for all members that follow, tarfile knows
            start = self._file.tell()
            header = self._file.read(BLOCK)
            member, read = plain(header), header
            records = extended_size(header) if member is None else None
            if records is not None:
                text = self._file.read(_in_blocks(records))
                header = self._file.read(BLOCK)
                member, read = plain(header), b"".join((read, text, header))
                member = member and extended(member, text[:records])
            if member is not None:
                return member, self._file.tell() + (_in_blocks(member.size) if member.is_file else 0)
            self._file.put_back(read, start)
        return self._by_tarfile()

    def _by_tarfile(self) -> t.Optional[t.Tuple[Member, int]]:
        if self._archive is None:
            nothing = io.BytesIO(bytes(2 * BLOCK))
            self._archive = tarfile.TarFile(fileobj=nothing, encoding="utf-8", errors="surrogateescape")
            self._archive.fileobj = t.cast("t.IO[bytes]", self._file)
        start = self._file.tell()
        try:
            info = tarfile.TarInfo.fromtarfile(self._archive)
        except tarfile.HeaderError as error:
            if self._file.tell() > start + BLOCK:  # behind one that belongs to the next
                raise tarfile.ReadError(str(error)) from None
            if self._file.last_read.strip(b"\0"):
                raise tarfile.ReadError("no header at byte %d" % start) from None
            return None  # zeros, or nothing at all, which an empty layer may be
        except (ValueError, LookupError, OverflowError) as error:  # it takes numbers for what they should be
            raise tarfile.ReadError("a header at byte %d cannot be read (%s)" % (start, error)) from None
        return Member.of(info), self._archive.offset


def _in_blocks(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


class _ForwardFile:
    """Blocks as the file that C(tarfile) needs."""

    def __init__(self, blocks: t.Iterator[bytes]) -> None:
        self._blocks = blocks
        self._block = b""
        self._start = 0  # of the unread part of the block
        self._position = 0
        self._again = b""  # what is to be read before that
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
        end = self._start + size
        if end <= len(self._block) and not self._again:
            self.last_read = self._block[self._start : end]
            self._start = end
            self._position += size
        else:
            self.last_read = b"".join(self._up_to(size))
        return self.last_read

    def put_back(self, data: bytes, position: int) -> None:
        """Have what was read last read once more.

        :param position: where it begins.
        """
        self._again, self._position = data, position

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
        if self._again and size:
            piece, self._again = self._again[:size], self._again[size:]
            self._position += len(piece)
            size -= len(piece)
            yield piece
        while size and self.peek():
            piece = self._block[self._start : self._start + size]
            self._start += len(piece)
            self._position += len(piece)
            size -= len(piece)
            yield piece
