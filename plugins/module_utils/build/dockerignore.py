# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The rules of .dockerignore, as BuildKit applies them (moby/patternmatcher 0.6, with its ignorefile and fsutil's filter).

Paths are relative to the context, with C(/) between their parts and without one in front.
"""

from __future__ import annotations

import dataclasses
import posixpath
import re
import typing as t
import warnings

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError

_WILDCARDS = frozenset("*?[\\")
_ESCAPED = frozenset(".+()|{}$")

ParentMatches = t.Optional[t.Tuple[bool, ...]]


class InvalidIgnoreFile(DeliveryError):
    """A pattern that BuildKit would refuse; the message names file, line and pattern."""


@dataclasses.dataclass(frozen=True)
class Pattern:
    """One line of the file.

    :param text: the pattern without C(!), cleaned.
    :param reopens: whether the line began with C(!).
    :param line: its number in the file, from 1.
    """

    text: str
    reopens: bool
    line: int
    matches: t.Callable[[str], bool] = dataclasses.field(repr=False, compare=False)

    @property
    def written(self) -> str:
        return ("!" if self.reopens else "") + self.text

    @property
    def is_plain(self) -> bool:
        return not _WILDCARDS.intersection(self.text)


@dataclasses.dataclass(frozen=True)
class IgnoreRules:
    """The patterns of one file, in order: the last that matches decides.

    :param name: the file's path, for messages; empty where there is none.
    """

    patterns: t.Tuple[Pattern, ...] = ()
    name: str = ""

    def excludes(self, path: str, parent: ParentMatches = None) -> t.Tuple[bool, t.Tuple[bool, ...]]:
        """Whether a path is kept out, and which patterns matched it or a directory above it.

        :param parent: what this function said of the directory that holds the path; None in the context's root.

        A pattern that cannot turn the verdict is not looked at and counts as not matching, also for what lies below: so does
        the original, and the verdict on C(a/b) under the patterns C(a), C(!a/b), C(a) depends on it.
        """
        excluded = False
        matched = []
        for index, pattern in enumerate(self.patterns):
            match = parent is not None and parent[index]
            if not match and pattern.reopens == excluded:
                match = pattern.matches(path)
            matched.append(match)
            if match:
                excluded = not pattern.reopens
        return excluded, tuple(matched)

    def reopens_below(self, directory: str) -> bool:
        """Whether anything below an excluded directory may still be let in: if not, nobody needs to look into it."""
        return any(
            pattern.reopens and (not pattern.is_plain or pattern.text.startswith(directory + "/"))
            for pattern in self.patterns
        )

    def deciding(self, path: str) -> t.Optional[Pattern]:
        """The pattern that keeps a path out; None where none does."""
        parts = path.split("/")
        excluded, matched = False, None
        for end in range(1, len(parts) + 1):
            excluded, matched = self.excludes("/".join(parts[:end]), matched)
        if not excluded or matched is None:
            return None
        return [pattern for pattern, match in zip(self.patterns, matched) if match and not pattern.reopens][-1]


def parse(text: str, name: str = ".dockerignore") -> IgnoreRules:
    """Read the text of a .dockerignore file.

    :param name: the file's path, for messages.
    :raises InvalidIgnoreFile: a pattern cannot be read.
    """
    patterns = []
    for number, line in enumerate(text.lstrip("\ufeff").split("\n"), 1):
        # only a '#' in the first column makes a comment
        written = "" if line.startswith("#") else line.strip()
        if not written:
            continue
        reopens = written.startswith("!")
        cleaned = _clean(written[1:].strip() if reopens else written)
        if len(cleaned) > 1 and cleaned.startswith("/"):
            cleaned = cleaned[1:]
        try:
            if reopens and (not written[1:].strip() or cleaned == "/"):
                raise ValueError("nothing follows the '!'")
            patterns.append(Pattern(cleaned, reopens, number, matcher(cleaned)))
        except (ValueError, re.error) as error:
            raise InvalidIgnoreFile(
                "%s, line %d: the pattern %r is invalid: %s." % (name, number, written, error)
            ) from None
    return IgnoreRules(tuple(patterns), name)


def _clean(path: str) -> str:
    """Go's C(filepath.Clean), which POSIX' reading of two leading slashes does not share."""
    return posixpath.normpath(re.sub("^//+", "/", path)) if path else "."


def matcher(pattern: str) -> t.Callable[[str], bool]:
    """Turn a pattern into a test on a path, in the four ways in which the original does.

    The fast ways are not only faster: C(a/**) does not match C(a), and C(**name) matches any path that ends in C(name).

    :raises ValueError: it cannot be read; also as C(re.error).
    """
    _check_syntax(pattern)
    expression, way = _expression(pattern)
    if way == "prefix":
        prefix = pattern[:-2]
        return lambda path: path.startswith(prefix)
    if way == "suffix":
        suffix = pattern[2:]
        return lambda path: path.endswith(suffix) or (suffix.startswith("/") and path == suffix[1:])
    if way == "exact":
        return lambda path: path == pattern
    with warnings.catch_warnings():
        # Python announces a meaning for '[[' in a class that Go's expressions will not have
        warnings.simplefilter("ignore", FutureWarning)
        compiled = re.compile(expression)
    return lambda path: compiled.match(path) is not None


def _expression(pattern: str) -> t.Tuple[str, str]:
    """The pattern as a regular expression, and the way it is to be matched: exact, prefix, suffix or expression."""
    expression, way = [], "exact"
    position = 0
    while position < len(pattern):
        start, character = position, pattern[position]
        position += 1
        if character == "*" and pattern[position : position + 1] == "*":
            position += 1
            if pattern[position : position + 1] == "/":
                position += 1
            if position < len(pattern):
                expression.append("(.*/)?")
                way = "expression"
            elif way == "exact":
                way = "prefix"
            else:
                expression.append(".*")
                way = "expression"
            if start == 0:
                way = "suffix"
        elif character in "*?":
            expression.append("[^/]*" if character == "*" else "[^/]")
            way = "expression"
        elif character in _ESCAPED:
            expression.append("\\" + character)
        elif character == "\\" and position == len(pattern):
            raise ValueError("nothing follows the last '\\'")
        elif character == "\\":
            # an escaped letter is whatever the expression makes of it, as with the original: \\b is the edge of a word
            expression.append("\\" + pattern[position])
            position += 1
            way = "expression"
        elif character in "[]":
            expression.append(character)
            way = "expression"
        else:
            expression.append(character)
    return "".join(expression) + r"\Z", way


def _check_syntax(pattern: str) -> None:
    """See to what Go's C(filepath.Match) refuses: it looks as far as the first star that is not in front.

    :raises ValueError: a class has no end, or nothing follows an escape.
    """
    pattern = pattern.lstrip("*")
    position = 0
    while position < len(pattern):
        character = pattern[position]
        position += 1
        if character == "*":
            return
        if character == "\\":
            if position == len(pattern):
                raise ValueError("nothing follows the last '\\'")
            position += 1
        elif character == "[":
            position = _end_of_class(pattern, position)


def _end_of_class(pattern: str, position: int) -> int:
    """The position after the C(]) that ends a class of characters."""
    if pattern[position : position + 1] == "^":
        position += 1
    ranges = 0
    while position < len(pattern):
        if pattern[position] == "]" and ranges:
            return position + 1
        position = _end_of_class_character(pattern, position)
        if pattern[position : position + 1] == "-":
            position = _end_of_class_character(pattern, position + 1)
        ranges += 1
    raise ValueError("the ']' that ends a '[' is missing")


def _end_of_class_character(pattern: str, position: int) -> int:
    character = pattern[position : position + 1]
    if character in ("", "-", "]"):
        raise ValueError("a class of characters in '[...]' cannot be read")
    if character == "\\":
        position += 1
        if position == len(pattern):
            raise ValueError("nothing follows the last '\\'")
    return position + 1
