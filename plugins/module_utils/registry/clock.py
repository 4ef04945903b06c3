# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.
"""Clocks of two machines: certificates and tokens are refused where they do not agree."""

from __future__ import annotations

import calendar
import email.utils
import time
import typing as t

# Tokens have a minute's leeway with distribution; a header Date is cut to the second.
CLOCKS_APART = 60


def seconds_of(date: t.Optional[str]) -> t.Optional[float]:
    """A header Date (RFC 9110) in seconds since 1970; None where it is none."""
    parsed = email.utils.parsedate(date) if date else None
    try:
        return float(calendar.timegm(parsed)) if parsed else None
    except (ValueError, OverflowError):
        return None


def apart(seconds: float) -> str:
    """How far a clock is from another one, as in C(2 h 0 min ahead of)."""
    minutes = int(abs(seconds) // 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    first = next((number for number, (count, _unit) in enumerate(parts) if count), 2)
    told = " ".join("%d %s" % part for part in parts[first : first + 2])
    return "%s %s" % (told, "ahead of" if seconds > 0 else "behind")


def moment(seconds: float) -> str:
    """A time as messages have it."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))
