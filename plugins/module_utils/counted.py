# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""A number of things in words."""

from __future__ import annotations


def counted(count: int, thing: str) -> str:
    """As in '1 finding' and '2 findings'.

    :param thing: one of them; with an s it is several.
    """
    return "%d %s%s" % (count, thing, "" if count == 1 else "s")
