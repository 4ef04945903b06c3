# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from tests.benchmark.pairs import EXCEEDED, MET, UNCERTAIN, Limit, Row, exceeded, held_to, paired


def test_both_are_run_in_turn_and_compared_pair_by_pair() -> None:
    took = {"one": [9.0, 2.0, 40.0, 3.0], "other": [9.0, 1.0, 10.0, 3.0]}  # the machine is slow for a while
    turns: list[str] = []

    def run(name: str) -> float:
        turns.append(name)
        return took[name].pop(0)

    medians = paired(lambda: run("one"), lambda: run("other"), runs=3)
    assert medians == {"seconds": 3.0, "against": 3.0, "ratio": 2.0}
    assert turns == ["one", "other"] * 4, "the first of each only warms up"


def measured(*pairs: tuple[float, float], limit: Limit) -> Row:
    one, other = ([0.0, *values] for values in zip(*pairs, strict=True))
    return paired(lambda: one.pop(0), lambda: other.pop(0), len(pairs), limit)


@pytest.mark.parametrize(
    ("pairs", "limit", "verdict"),
    [
        ([(1, 2), (1, 2), (3, 2)], Limit("ratio", 0.5), MET),
        ([(3, 2), (3, 2), (1, 2)], Limit("ratio", 0.5), UNCERTAIN),
        ([(3, 2), (3, 2), (3, 2), (1, 2)], Limit("ratio", 0.5), EXCEEDED),
        ([(3, 2), (3, 2)], Limit("ratio", 0.5), UNCERTAIN),
        ([(3, 2)] * 3, Limit("more", 0.5), EXCEEDED),
        ([(3, 2)] * 3, Limit("more", 1), MET),
        ([(3, 2)] * 3, Limit("seconds", 2), EXCEEDED),
        ([(3, 2)] * 3, Limit("seconds", 3, least=True), MET),
        ([(3, 2)] * 3, Limit("seconds", 4, least=True), EXCEEDED),
    ],
)
def test_a_limit_is_exceeded_where_that_is_no_noise(
    pairs: list[tuple[float, float]], limit: Limit, verdict: str
) -> None:
    row = measured(*pairs, limit=limit)
    [told] = row["limits"]
    assert told["limit"] == verdict
    assert bool(exceeded({"a / b": row})) is (verdict == EXCEEDED)


def test_what_was_exceeded_is_said_with_its_limit() -> None:
    row = held_to(
        {"rate": 7, "limits": [{"ratio": "at most 1", "limit": MET}]}, {"rate": [7] * 3}, Limit("rate", 9, True)
    )
    assert [told["limit"] for told in row["limits"]] == [MET, EXCEEDED]
    assert exceeded({"a / b": row, "c / d": {"ratio": 1}}) == ["a / b: rate is 7, and has to be at least 9."]
