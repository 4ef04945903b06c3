# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Kubernetes' amounts of a resource: '500m', '64Mi', '2'."""

from __future__ import annotations

import decimal
import re

_SUFFIXES = {
    "m": decimal.Decimal("0.001"),
    **{unit: decimal.Decimal(1000) ** power for power, unit in enumerate(("", "k", "M", "G", "T", "P", "E"))},
    **{unit: decimal.Decimal(1024) ** power for power, unit in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)},
}
_AMOUNT = re.compile(r"(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?P<suffix>[a-zA-Z]{0,2})\Z")


def quantity(text: str) -> decimal.Decimal:
    """A Kubernetes quantity ('500m', '64Mi', '2') as a number.

    :raises ValueError: it is none.
    """
    found = _AMOUNT.match(text)
    if not found or found.group("suffix") not in _SUFFIXES:
        raise ValueError("%r is no quantity" % text)
    return decimal.Decimal(found.group("number")) * _SUFFIXES[found.group("suffix")]
