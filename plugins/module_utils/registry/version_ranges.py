# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.
"""Ranges of versions, as C(>=1.4 <2), C(^1.4) or C(1.x), and tags that are versions (semver.org 2.0.0, ranges as npm has them).

What follows a hyphen is not looked at: C(1.5.0-rc.1) and C(1.5-alpine) are of C(^1.4) as C(1.5.0) is. By npm's rule they were
not, and what is of no range is what goes.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

Core = t.Tuple[int, int, int]

_TAG = re.compile(r"v?([0-9]{1,18})(?:\.([0-9]{1,18}))?(?:\.([0-9]{1,18}))?(?:[-+_][0-9A-Za-z._-]+)?")
_PART = r"(?:[0-9]{1,18}|[xX*])"
_COMPARATOR = re.compile(r"(>=|<=|>|<|\^|~|=)?\s*v?(%s)(?:\.(%s))?(?:\.(%s))?(?:[\s,]+|$)" % (_PART, _PART, _PART))


class NoRange(ValueError):
    """The text is no range; the message says what of it."""


@dataclasses.dataclass(frozen=True)
class _Span:
    """From a version to before another one; None for no end."""

    low: Core
    high: t.Optional[Core] = None

    def has(self, core: Core) -> bool:
        return self.low <= core and (self.high is None or core < self.high)


@dataclasses.dataclass(frozen=True)
class VersionRange:
    """One range: each of C(spans) is what some comparators, all of which must hold, leave together."""

    text: str
    spans: t.Tuple[t.Tuple[_Span, ...], ...]

    @classmethod
    def parse(cls, text: str) -> VersionRange:
        """:raises NoRange: it is none."""
        return cls(text, tuple(_spans(part.strip()) for part in text.split("||")))

    def has(self, tag: str) -> bool:
        """Whether a tag is a version of it; one that is no version at all is of no range."""
        match = _TAG.fullmatch(tag)
        if match is None:
            return False
        core = t.cast(Core, tuple(int(part or 0) for part in match.groups()))
        return any(all(span.has(core) for span in spans) for spans in self.spans)


def _spans(text: str) -> t.Tuple[_Span, ...]:
    found: t.List[_Span] = []
    place = 0
    while place < len(text) or not found:
        match = _COMPARATOR.match(text, place)
        if match is None:
            raise NoRange("%r is no comparison of versions" % text[place:])
        found.append(_span(*match.groups()))
        place = match.end()
    return tuple(found)


def _span(operator: t.Optional[str], *parts: t.Optional[str]) -> _Span:
    said: t.List[int] = []
    for part in parts:
        if part is None or not part.isdigit():
            break
        said.append(int(part))
    floor = t.cast(Core, tuple(([*said, 0, 0, 0])[:3]))
    if not said:
        if operator in ("<", ">"):
            raise NoRange("no version is %s any" % operator)
        return _Span(floor)
    beyond = _raised(said, len(said) - 1)  # the first version after all that are begun with what is said
    if operator == ">=":
        return _Span(floor)
    if operator == ">":
        return _Span(beyond)
    if operator == "<":
        return _Span((0, 0, 0), floor)
    if operator == "<=":
        return _Span((0, 0, 0), beyond)
    if operator == "~":
        return _Span(floor, _raised(said, min(1, len(said) - 1)))
    if operator == "^":
        first = next((number for number, part in enumerate(said) if part), len(said) - 1)
        return _Span(floor, _raised(said, first))
    return _Span(floor, beyond)


def _raised(said: t.Sequence[int], place: int) -> Core:
    return t.cast(Core, tuple(([*said[:place], said[place] + 1, 0, 0, 0])[:3]))
