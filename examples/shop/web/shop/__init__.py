# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shop: a small web application, here to be delivered."""

__version__ = "1.0.0"
