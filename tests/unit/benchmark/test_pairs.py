# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from tests.benchmark.pairs import paired


def test_both_are_run_in_turn_and_compared_pair_by_pair() -> None:
    took = {"one": [9.0, 2.0, 40.0, 3.0], "other": [9.0, 1.0, 10.0, 3.0]}  # the machine is slow for a while
    turns: list[str] = []

    def run(name: str) -> float:
        turns.append(name)
        return took[name].pop(0)

    medians = paired(lambda: run("one"), lambda: run("other"), runs=3)
    assert medians == {"seconds": 3.0, "against": 3.0, "ratio": 2.0}
    assert turns == ["one", "other"] * 4, "the first of each only warms up"
