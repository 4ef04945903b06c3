# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The headers of a tar archive as nearly all are: ustar, and pax with names and sizes. C(tarfile) takes several times as long.

What is not as these, or damaged, is left to C(tarfile), with all its dialects: here it is None, and never something else.
"""

from __future__ import annotations

import re
import tarfile
import typing as t

BLOCK = tarfile.BLOCKSIZE
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
_PLAIN = frozenset(
    (
        *_FILES,
        *(tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE),
    )
)
# size, mode, and those that only have to be numbers: user, group, time, and twice the device
_NUMBERS = ((124, 136), (100, 108), (108, 116), (116, 124), (136, 148), (329, 337), (337, 345))
_MOST_RECORDS = 1024 * 1024  # bytes
_RECORD = re.compile(rb"([1-9][0-9]{0,8}) ([^=\0\n]+)=")
# by these keywords more changes than is read here: sparse files, and what names are encoded in
_NOT_HERE = (b"GNU.sparse", b"hdrcharset")


class Member(t.NamedTuple):
    """What an archive says of a member.

    :param kind: as C(tarfile) has it, such as C(tarfile.SYMTYPE).
    :param target: of a link.
    """

    name: str
    kind: bytes
    size: int
    mode: int
    target: str = ""

    @property
    def is_file(self) -> bool:
        return self.kind in _FILES or self.kind == tarfile.GNUTYPE_SPARSE

    @property
    def is_directory(self) -> bool:
        return self.kind == tarfile.DIRTYPE

    @property
    def is_symbolic_link(self) -> bool:
        return self.kind == tarfile.SYMTYPE

    @property
    def is_hard_link(self) -> bool:
        return self.kind == tarfile.LNKTYPE

    @classmethod
    def of(cls, info: tarfile.TarInfo) -> Member:
        """The same as C(tarfile) has it."""
        return cls(info.name, info.type, info.size, info.mode, info.linkname)


def plain(header: bytes) -> t.Optional[Member]:
    """What a header says that needs no other."""
    kind = header[156:157]
    if kind not in _PLAIN or not _is_whole(header):
        return None
    numbers = [_number(header[start:end]) for start, end in _NUMBERS]
    if None in numbers:
        return None
    size, mode = t.cast("list[int]", numbers[:2])
    if size < 0:
        return None
    name = _text(header[:100])
    if kind == tarfile.AREGTYPE and name.endswith("/"):
        kind = tarfile.DIRTYPE  # the oldest tar has no other sign
    if kind == tarfile.DIRTYPE:
        name = name.rstrip("/")
    if header[345]:
        name = _text(header[345:500]) + "/" + name
        if kind == tarfile.DIRTYPE:
            name = name.rstrip("/")
    return Member(name, kind, size, mode, _text(header[157:257]) if header[157] else "")


def extended_size(header: bytes) -> t.Optional[int]:
    """The bytes of the records behind a pax header that is for the next member alone; None for another header."""
    size = _number(header[124:136]) if header[156:157] == tarfile.XHDTYPE and _is_whole(header) else None
    return size if size is not None and 0 <= size <= _MOST_RECORDS else None


def extended(member: Member, records: bytes) -> t.Optional[Member]:
    """A member with what the records of a pax header say of it."""
    position = 0
    while records[position : position + 1] not in (b"", b"\0"):
        found = _RECORD.match(records, position)
        end = position + int(found.group(1)) if found else 0
        if not found or end <= found.end() or records[end - 1 : end] != b"\n" or found.group(2).startswith(_NOT_HERE):
            return None
        value, position = records[found.end() : end - 1], end
        if found.group(2) == b"path":
            member = member._replace(name=_decoded(value).rstrip("/"))
        elif found.group(2) == b"linkpath":
            member = member._replace(target=_decoded(value))
        elif found.group(2) == b"size":
            if not value.isdigit():
                return None
            member = member._replace(size=int(value))
    return member


def _is_whole(header: bytes) -> bool:
    """Whether its checksum is right, which is made with blanks in its own place."""
    return len(header) == BLOCK and _number(header[148:156]) == sum(header) - sum(header[148:156]) + 8 * 0x20


def _number(field: bytes) -> t.Optional[int]:
    """Octal digits; None where they are none, as where they are too few for the number."""
    try:
        return int(field.partition(b"\0")[0].strip() or b"0", 8)
    except ValueError:
        return None


def _text(field: bytes) -> str:
    return _decoded(field.partition(b"\0")[0])


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")
