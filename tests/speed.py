# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Limits of time, on machines of which nobody knows what else they do."""

from __future__ import annotations

import warnings

# a shared machine changes its speed by a factor of two within minutes, and other tests run beside
MACHINES_DIFFER = 3


def is_quick(what: str, seconds: float, limit: float) -> None:
    """Warn where it took longer than the limit, which is for a quiet machine; fail where no machine explains it."""
    if seconds > limit:
        warnings.warn(f"{what} took {seconds:.1f} s; {limit:.0f} s are its limit on a quiet machine", stacklevel=2)
    assert seconds <= MACHINES_DIFFER * limit, what
