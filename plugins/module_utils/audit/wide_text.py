# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Text of two bytes a character, as Windows' programs write it, in the bytes that every search looks for."""

from __future__ import annotations

import codecs
import re
import typing as t

_ENCODINGS = (
    # by its mark, and without one by letters of ASCII
    (re.compile(rb"\xff\xfe(?!\0\0)|(?:[\t\n\r -~]\0){8}"), "utf-16-le"),
    (re.compile(rb"\xfe\xff|(?:\0[\t\n\r -~]){8}"), "utf-16-be"),
)


def narrow(pieces: t.Iterable[bytes]) -> t.Iterator[bytes]:
    """A file's bytes; of one in UTF-16, as its first piece tells, the same in UTF-8."""
    decoder: t.Optional[codecs.IncrementalDecoder] = None
    for number, piece in enumerate(pieces):
        if number == 0 and (piece[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in piece[:2]):
            encoding = next((name for mark, name in _ENCODINGS if mark.match(piece)), None)
            decoder = codecs.getincrementaldecoder(encoding)("replace") if encoding else None
        yield piece if decoder is None else decoder.decode(piece).encode("utf-8", "replace")
