# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The repository of images that are pushed for a check and deleted a moment later.

They are of the registry that is checked alone: a copy of one elsewhere would stay there.
"""

from __future__ import annotations

REPOSITORY = "longshore/canary"


def is_of_canaries(repository: str) -> bool:
    """Whether this is where they are, also below the path of a mirror."""
    return repository == REPOSITORY or repository.endswith("/" + REPOSITORY)
