# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Private keys in a file's bytes: a key's first line with the key behind it.

The first line alone is in every library and program that reads keys.
"""

from __future__ import annotations

import re
import typing as t

# what such keys look like: RFC 7468, RFC 4880 (6.2), PuTTY's own. In JSON and in environment files the line ends are written as
# \n. The fast search is for PRIVATE KEY and PuTTY-User-Key-File- (see anchors.py).
_END = rb"(?:\r?\n|\\r\\n|\\n)"
_ARMOURED = re.compile(
    rb"-----BEGIN ((?:[A-Z0-9]+ ){0,3})PRIVATE KEY(?: BLOCK)?-----[ \t]*"
    + _END
    + rb"(?:[ \t]*[A-Za-z-]+: [^\r\n\\]{1,120}"
    + _END
    + rb"){0,5}"
    + rb"(?:[ \t]*"
    + _END
    + rb")?[ \t]*[A-Za-z0-9+/=]{40}"
)
_PUTTY = re.compile(rb"PuTTY-User-Key-File-\d: [a-z0-9-]+\r?\nEncryption: ")
# ELF, an archive of objects, Windows' and macOS' programs: libraries have keys to test themselves with
_PROGRAM = (b"\x7fELF", b"!<arch>\n", b"MZ\x90\0", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
BEFORE = 64  # bytes in front of an anchor that belong to it
AFTER = 1024
FIRST = max(map(len, _PROGRAM))  # bytes of a file that tell what it is


def is_program(first: bytes) -> bool:
    """Whether a file that begins so is compiled code."""
    return first.startswith(_PROGRAM)


def kind(window: bytes) -> t.Optional[str]:
    """What key is in the bytes around an anchor, as in 'RSA private key'; None for none."""
    found = _ARMOURED.search(window)
    if found:
        return (found.group(1).decode("ascii").strip() + " private key").lstrip()
    return "PuTTY private key" if _PUTTY.search(window) else None
