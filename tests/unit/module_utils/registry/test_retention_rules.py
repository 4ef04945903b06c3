# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules that cannot be meant, and what a rule says."""

from __future__ import annotations

import datetime
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.registry.retention_rules import (
    InvalidRetention,
    Rule,
    Rules,
)

NOW = datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.timezone.utc)


def rule(**options: t.Any) -> Rule:
    return Rule.from_params(1, {"repositories": ["**"], **options}, NOW)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"repositories": []}, "number 2: repositories is empty"),
        ({"tags": []}, "number 2: tags is empty"),
        ({"keep_matching": []}, "number 2: keep_matching is empty"),
        ({"keep_versions": []}, "number 2: keep_versions is empty"),
        ({"keep_newest": -1}, "number 2: keep_newest is -1"),
        ({"keep_younger_than": "soon"}, "number 2: keep_younger_than is 'soon', which is no age"),
        ({"keep_younger_than": "99999999999w"}, "which is no age"),
        ({"keep_versions": ["^1", "1.2 - 1.4"]}, "'1.2 - 1.4' is no range of versions: '- 1.4' is no comparison"),
    ],
)
def test_a_rule_that_cannot_be_meant(options: dict[str, t.Any], said: str) -> None:
    first = {"repositories": ["**"], "keep_newest": 1}
    with pytest.raises(InvalidRetention, match=said):
        Rules.from_params([first, {"repositories": ["**"], **options}], NOW)


def test_no_rules_are_none() -> None:
    with pytest.raises(InvalidRetention, match="rules is empty"):
        Rules.from_params([], NOW)


def test_why_it_keeps_a_tag_and_why_not() -> None:
    made = rule(keep_newest=2, keep_younger_than="2d", keep_matching=["v*"], keep_versions=["^1"])
    old, young = NOW - datetime.timedelta(days=3), NOW - datetime.timedelta(days=2)
    assert made.keeps("v0", None, False) == "v0 is like v*"
    assert made.keeps("1.2", None, False) == "1.2 is of ^1"
    assert made.keeps("x", None, False) == "it is not known when it was created"
    assert made.keeps("x", old, True) == "it is one of the 2 newest"
    assert made.keeps("x", young, False) == "it is younger than 2d"
    assert made.keeps("x", old, False) is None
    assert made.lets_go(old) == (
        "rule 1: it is none of the 2 newest, it was created 2026-11-19T12:00:00Z, which is not within 2d, no tag of it is like "
        "v*, no tag of it is a version of ^1"
    )
    assert rule(keep_newest=0).keeps("x", None, False) is None
    assert rule(keep_newest=0).lets_go(None) == "rule 1: none is kept for being new"
    assert rule(keep_matching=["y"]).keeps("x", None, True) is None


@pytest.mark.parametrize(
    ("rules", "named"),
    [([["a"], ["b", "a"]], ["a", "b"]), ([["a"], ["b/*"]], None), ([["**"]], None)],
)
def test_the_catalog_is_needed_where_there_are_patterns(rules: list[list[str]], named: list[str] | None) -> None:
    given = [{"repositories": patterns, "keep_newest": 1} for patterns in rules]
    assert Rules.from_params(given, NOW).named == named
