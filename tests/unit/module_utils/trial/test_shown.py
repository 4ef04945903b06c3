# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much of a log is shown."""

from __future__ import annotations

from ansible_collections.longshore.delivery.plugins.module_utils.trial import shown


def test_a_log_that_is_not_long_is_shown_whole() -> None:
    lines = tuple(f"line {number}" for number in range(50))
    assert shown.log(lines) == lines
    assert shown.log(()) == ()


def test_of_a_log_of_long_lines_the_last_ones_are_shown_whole() -> None:
    lines = tuple(f"{number} " + "ä" * 600 for number in range(50))
    found = shown.log(lines)
    assert found == lines[-len(found) :]
    assert shown.LOG_BYTES - 1300 < sum(len(line.encode()) for line in found) <= shown.LOG_BYTES


def test_of_a_last_line_that_is_too_long_the_first_words_are_shown_and_none_in_part() -> None:
    secret = "s" * 100
    [found] = shown.log(["before", " ".join([secret] * 1000)])
    words, _mark, size = found.partition("... ")
    assert set(words.split()) == {secret}
    assert len(words) > shown.LOG_BYTES - 200
    assert size == "(a line of 100999 bytes)"
    assert shown.log(["s" * 9000]) == ("... (a line of 9000 bytes)",)


def test_last_words_are_few() -> None:
    assert shown.last_words(["a", "b", "c"], 2) == "b | c"
    assert len(shown.last_words(["x" * 600] * 5, 5)) == 600
