# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""How much is shown of what an image writes, so that none floods a screen."""

from __future__ import annotations

import typing as t

LOG_BYTES = 8 * 1024
_WORDS_BYTES = 1024


def log(lines: t.Sequence[str]) -> t.Tuple[str, ...]:
    """The last lines, C(LOG_BYTES) at most."""
    return _last(lines, LOG_BYTES)


def last_words(lines: t.Sequence[str], count: int) -> str:
    """The last few lines in one."""
    return " | ".join(_last(lines[-count:], _WORDS_BYTES))


def _last(lines: t.Sequence[str], most: int) -> t.Tuple[str, ...]:
    found: t.List[str] = []
    left = most
    for line in reversed(lines):
        left -= _size(line) + 1
        if left < 0:
            return tuple(reversed(found)) if found else (_start(line, most),)
        found.append(line)
    return tuple(reversed(found))


def _start(line: str, most: int) -> str:
    """The first words of a long line, each of them whole: a part of a secret would not be masked."""
    start = line.encode("utf-8", "replace")[:most].decode("utf-8", "ignore").rpartition(" ")[0]
    return "%s... (a line of %d bytes)" % (start, _size(line))


def _size(line: str) -> int:
    return len(line.encode("utf-8", "replace"))
