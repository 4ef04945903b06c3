# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the lab says when it cannot go on."""

from __future__ import annotations


class LabError(Exception):
    """The lab cannot go on; the message says what failed, where, and what to do."""
