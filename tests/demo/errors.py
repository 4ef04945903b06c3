# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The demo's own kind of error."""

from __future__ import annotations


class DemoError(Exception):
    """What keeps the demo from running, or what it saw that must not be."""
