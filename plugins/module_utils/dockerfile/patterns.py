# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The patterns of C(${NAME#pattern}), C(${NAME%pattern}) and C(${NAME/pattern/text}), as BuildKit 0.13 takes them.

A star stands for any text within a line, a question mark for any character, a backslash escapes these, itself, and what would end
the pattern. There are no classes of characters.
"""

from __future__ import annotations

import re
import typing as t

# what the text that is put in everywhere may name: a part of what is replaced, of which there is but the whole
_PART = re.compile(r"\$(?:\$|(\w+)|\{(\w+)\})")


class InvalidPattern(ValueError):
    """A pattern that BuildKit would refuse."""


def without_start(value: str, pattern: str, longest: bool) -> str:
    """A value without the shortest or longest start that a pattern matches."""
    found = re.match("".join(_pieces(pattern, longest)), value)
    return value[found.end() :] if found else value


def without_end(value: str, pattern: str, longest: bool) -> str:
    """The same for the end. Read backwards, it is the start."""
    found = re.match("".join(reversed(_pieces(pattern, longest))), value[::-1])
    return value[: len(value) - found.end()] if found else value


def replaced(value: str, pattern: str, text: str, everywhere: bool) -> str:
    """A value with the first, longest match of a pattern, or all of them, replaced."""
    expression = "".join(_pieces(pattern, True))
    if not everywhere:
        return re.sub(expression, lambda found: text, value, count=1)
    end = 0

    def put_in(found: re.Match[str]) -> str:
        nonlocal end
        # Go knows no empty match right behind another
        counts, end = found.end() > end or found.start() == 0, found.end()
        return _PART.sub(lambda part: _part(part, found), text) if counts else ""

    return re.sub(expression, put_in, value)


def _part(named: re.Match[str], found: re.Match[str]) -> str:
    if named.group() == "$$":
        return "$"
    return found.group() if "0" in named.groups() else ""


def _pieces(pattern: str, longest: bool) -> t.List[str]:
    """Regular expressions, one for each character.

    :raises InvalidPattern: a backslash escapes what needs it not.
    """
    pieces = []
    characters = iter(pattern)
    for character in characters:
        if character == "*":
            pieces.append(".*" if longest else ".*?")
            continue
        if character == "?":
            pieces.append(".")
            continue
        if character == "\\":
            character = next(characters, "")
            if not character or character not in "*?\\}/":
                raise InvalidPattern("the pattern %s has the invalid escape '\\%s'" % (pattern, character))
        pieces.append(re.escape(character))
    return pieces
