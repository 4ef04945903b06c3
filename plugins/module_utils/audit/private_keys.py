# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Private keys in a file's bytes: a key's first line with the key behind it.

The first line alone is in every library and program that reads keys.
"""

from __future__ import annotations

import hashlib
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
# keys that everybody knows, as a library tests itself with them: what _fingerprint makes of their body
_PUBLISHED = frozenset(
    (
        # GnuTLS, lib/crypto-selftests-pk.c
        "1207185ae6d221a4f2a7a92c643c8831",
        "cadf1e62661d5d21a7fce2c80b331902",
        "6d03bbf47115fad00d6f990593a6465c",
        "4ee93e260685b8b33d72dc150b46734e",
        "824dea8f5733a04e67983255254b8b34",
        "805e83e6f384a30faf33e7a7590e01f5",
    )
)
_FINGERPRINTED = 150  # bytes
_LINE_END = re.compile(_END)
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
    if found and (found.start() >= BEFORE or _fingerprint(window, found.end() - 40) in _PUBLISHED):
        return None  # everybody's, or the next one, which has an anchor of its own
    if found:
        return (found.group(1).decode("ascii").strip() + " private key").lstrip()
    return "PuTTY private key" if _PUTTY.search(window) else None


def _fingerprint(window: bytes, start: int) -> str:
    """What a key's body begins with, as a digest: behind the names of its algorithm the key itself has begun by then."""
    body = window[start : start + _FINGERPRINTED].partition(b"-----")[0]
    return hashlib.sha256(_LINE_END.sub(b"", body)).hexdigest()[:32]
