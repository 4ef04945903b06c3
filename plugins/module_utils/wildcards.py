# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Patterns for names with slashes: C(*) and C(?) stand for anything but a slash, C(**) for anything."""

from __future__ import annotations

import functools
import re
import typing as t

_PARTS = re.compile(r"\*\*|\*|\?|[^*?]+")
_WILDCARDS = {"**": ".*", "*": "[^/]*", "?": "[^/]"}


def fits(pattern: str, text: str) -> bool:
    """Whether a pattern is for all of a text."""
    return _compiled(pattern).fullmatch(text) is not None


def has_wildcards(pattern: str) -> bool:
    """Whether it may be for several texts."""
    return "*" in pattern or "?" in pattern


@functools.lru_cache(maxsize=256)
def _compiled(pattern: str) -> t.Pattern[str]:
    return re.compile("".join(_WILDCARDS.get(part) or re.escape(part) for part in _PARTS.findall(pattern)))
