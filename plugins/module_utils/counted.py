# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""A number of things in words."""

from __future__ import annotations

import typing as t


def counted(count: int, thing: str) -> str:
    """As in '1 finding' and '2 findings'.

    :param thing: one of them; with an s it is several.
    """
    return "%d %s%s" % (count, thing, "" if count == 1 else "s")


def some(things: t.Sequence[str], most: int) -> str:
    """As in 'a, b and 3 more'.

    :param most: how many are named.
    """
    more = len(things) - most
    return ", ".join(things[:most]) + (" and %d more" % more if more > 0 else "")
