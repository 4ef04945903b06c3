# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two things measured in turn, so that a machine that changes its speed does not change what is said of them; and limits."""

from __future__ import annotations

import dataclasses
import statistics
import typing as t

Row = dict[str, t.Any]
# of a figure
MET, UNCERTAIN, EXCEEDED = "met", "not met, within the noise", "exceeded"
# so many pairs at least, and such a share of them beyond the limit, are no noise
_PAIRS, _SHARE = 3, 0.75


@dataclasses.dataclass(frozen=True)
class Limit:
    """What a figure has to keep to.

    :param figure: its name in the row: seconds, against, ratio, more (seconds less against), or one that the row has of its own.
    :param least: whether it has to be at least that, not at most.
    """

    figure: str
    bound: float
    least: bool = False

    def told(self, seen: t.Sequence[float]) -> dict[str, t.Any]:
        """
        :param seen: the figure of each pair.
        """
        verdict = MET
        if self._is_beyond(statistics.median(seen)):
            beyond = [value for value in seen if self._is_beyond(value)]
            is_certain = len(seen) >= _PAIRS and len(beyond) >= _SHARE * len(seen)
            verdict = EXCEEDED if is_certain else UNCERTAIN
        return {self.figure: f"at {'least' if self.least else 'most'} {self.bound:g}", "limit": verdict}

    def _is_beyond(self, value: float) -> bool:
        return value < self.bound if self.least else value > self.bound


def paired(one: t.Callable[[], float], other: t.Callable[[], float], runs: int, *limits: Limit) -> Row:
    """Medians of both in seconds and of the ratio one / other, pair by pair, after one run of each to warm up."""
    one(), other()
    pairs = [(one(), other()) for _run in range(runs)]
    figures = {
        "seconds": [a for a, _b in pairs],
        "against": [b for _a, b in pairs],
        "ratio": [a / b for a, b in pairs],
        "more": [a - b for a, b in pairs],
    }
    shown = [name for name in figures if name != "more" or any(limit.figure == name for limit in limits)]
    row: Row = {name: round(statistics.median(figures[name]), 2 if name == "ratio" else 3) for name in shown}
    return held_to(row, figures, *limits)


def held_to(row: Row, figures: t.Mapping[str, t.Sequence[float]], *limits: Limit) -> Row:
    """The row with what became of limits.

    :param figures: by their names, of each pair.
    """
    told = [*row.get("limits", ()), *(limit.told(figures[limit.figure]) for limit in limits)]
    return {**row, "limits": told} if told else row


def exceeded(rows: t.Mapping[str, Row]) -> list[str]:
    """A sentence for each limit that was exceeded, and by no noise."""
    return [
        f"{name}: {figure} is {row[figure]}, and has to be {bound}."
        for name, row in rows.items()
        for limit in row.get("limits", ())
        for figure, bound in limit.items()
        if limit["limit"] == EXCEEDED and figure != "limit"
    ]
