# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Paths that a user gives, which have to be absolute: where a task runs is not where the user stood."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError


def check_absolute(option: str, path: str, error: t.Type[DeliveryError] = DeliveryError) -> None:
    """See that a path is absolute.

    :param error: what is raised where it is not.
    """
    if not os.path.isabs(path):
        raise error(
            "%s is %r, which is relative, and a task's working directory is not the user's. Write an absolute path, as in "
            "'{{ playbook_dir }}/%s'." % (option, path, path)
        )
