# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The exception of the domain, which the fronts turn into a task's failure."""

from __future__ import annotations

import typing as t


class DeliveryError(Exception):
    """What a user can act on: a message that names the thing, the place, the cause and the way out.

    :param msg: the message.
    :param facts: further keys of the task's result.
    """

    def __init__(self, msg: str, **facts: t.Any) -> None:
        super().__init__(msg)
        self.facts = facts
