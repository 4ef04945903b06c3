# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long something has to last until it is believed."""

from __future__ import annotations

from ansible_collections.longshore.delivery.plugins.module_utils.workload.suspicion import Cause, Stopwatch, Suspicion

UNREADY = Suspicion(("pod", "unready"), 15.0, Cause("probe", "is not ready", "wait"))
PULL = Suspicion(("pod", "pull"), 10.0, Cause("pull", "cannot be pulled", "push"))
CRASH = Suspicion(("pod", "crash"), 0.0, Cause("crash", "has ended", "see"))


def test_what_cannot_heal_is_believed_at_once() -> None:
    assert Stopwatch().judge([UNREADY, CRASH], 100.0) == (CRASH.cause, None)


def test_what_can_is_given_its_time_to_the_second() -> None:
    stopwatch = Stopwatch()
    assert stopwatch.judge([UNREADY], 100.0) == (None, 15.0)
    assert stopwatch.judge([UNREADY, PULL], 104.0) == (None, 10.0)
    assert stopwatch.judge([UNREADY, PULL], 113.0) == (None, 1.0)
    assert stopwatch.judge([UNREADY, PULL], 114.0) == (PULL.cause, None)


def test_what_has_gone_and_comes_back_begins_anew() -> None:
    stopwatch = Stopwatch()
    stopwatch.judge([UNREADY], 100.0)
    assert stopwatch.judge([], 110.0) == (None, None)
    assert stopwatch.judge([UNREADY], 114.0) == (None, 15.0)
