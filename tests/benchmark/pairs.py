# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two things measured in turn, so that a machine that changes its speed does not change what is said of them."""

from __future__ import annotations

import statistics
import typing as t


def paired(one: t.Callable[[], float], other: t.Callable[[], float], runs: int) -> dict[str, float]:
    """Medians of both in seconds and of the ratio one / other, pair by pair, after one run of each to warm up."""
    one(), other()
    pairs = [(one(), other()) for _run in range(runs)]
    return {
        "seconds": round(statistics.median(a for a, _b in pairs), 3),
        "against": round(statistics.median(b for _a, b in pairs), 3),
        "ratio": round(statistics.median(a / b for a, b in pairs), 2),
    }
