# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Times as others write them."""

from __future__ import annotations

import datetime
import re
import typing as t

_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)?\s*(Z|[+-]\d\d:?\d\d)")
_AGE = re.compile(r"(\d+)\s*([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_NEVER = datetime.datetime(1, 1, 2, tzinfo=datetime.timezone.utc)  # Go's zero time is before it, in every zone


def time_of(text: t.Any) -> t.Optional[datetime.datetime]:
    """A time as RFC 3339 and Go write it, in UTC; None for none, and for Go's zero time, which stands for none."""
    match = _TIME.match(text) if isinstance(text, str) else None
    if match is None:
        return None
    day, clock, zone = match.groups()
    zone = "+0000" if zone == "Z" else zone.replace(":", "")
    try:
        found = datetime.datetime.strptime("%s %s %s" % (day, clock, zone), "%Y-%m-%d %H:%M:%S %z")
        return found.astimezone(datetime.timezone.utc) if found > _NEVER else None
    except (ValueError, OverflowError):
        return None


def shown_moment(moment: t.Optional[datetime.datetime]) -> t.Optional[str]:
    """A time in UTC as results have it, as C(2026-11-21T17:40:12Z)."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def before_now(age: str, now: datetime.datetime) -> t.Optional[datetime.datetime]:
    """The moment that is so long before now, of C(36h) or C(30d); None where that is no age, or longer than there are years."""
    match = _AGE.fullmatch(age.strip())
    if match is None:
        return None
    try:
        return now - datetime.timedelta(seconds=int(match.group(1)) * _SECONDS[match.group(2)])
    except OverflowError:
        return None
