# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which images are meant by what is inside them."""

from __future__ import annotations

import datetime
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.image.contents import ImageContents
from ansible_collections.longshore.delivery.plugins.module_utils.image.names import InvalidSelection
from ansible_collections.longshore.delivery.plugins.module_utils.image.selection import Selection
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference

NOW = datetime.datetime(2026, 11, 21, 12, 0, 0, tzinfo=datetime.timezone.utc)


def image(created: str | None = None, tagged: bool = True, **labels: str) -> ImageContents:
    references = (Reference.parse("shop/web:1"),) if tagged else ()
    return ImageContents("x", references, config={"created": created, "config": {"Labels": labels}})


def wants(image: ImageContents, **params: t.Any) -> bool:
    return Selection.of(params, NOW).wants(image)


@pytest.mark.parametrize(
    ("labels", "meant"),
    [
        ([], True),
        (["team"], True),
        (["team=shop"], True),
        (["team=other"], False),
        (["team="], False),
        (["empty="], True),
        (["team=shop", "tier=web"], True),
        (["team=shop", "tier=db"], False),
        (["absent"], False),
        (["sum=a=b"], True),
    ],
)
def test_labels(labels: list[str], meant: bool) -> None:
    labelled = image(team="shop", tier="web", empty="", sum="a=b")
    assert wants(labelled, labels=labels) is meant


def test_dangling() -> None:
    for tagged in (True, False):
        assert wants(image(tagged=tagged))
        assert wants(image(tagged=tagged), dangling=True) is not tagged
        assert wants(image(tagged=tagged), dangling=False) is tagged


@pytest.mark.parametrize(
    ("age", "limit"),
    [
        ("90s", "2026-11-21T11:58:30Z"),
        ("5m", "2026-11-21T11:55:00Z"),
        ("36h", "2026-11-20T00:00:00Z"),
        ("30d", "2026-10-22T12:00:00Z"),
        ("2w", "2026-11-07T12:00:00Z"),
        (" 2 w ", "2026-11-07T12:00:00Z"),
    ],
)
def test_ages(age: str, limit: str) -> None:
    at, moment = image(limit), datetime.datetime.strptime(limit, "%Y-%m-%dT%H:%M:%S%z")
    before = image((moment - datetime.timedelta(seconds=1)).isoformat())
    assert [wants(at, older_than=age), wants(before, older_than=age)] == [False, True]
    assert [wants(at, newer_than=age), wants(before, newer_than=age)] == [True, False]


def test_between_two_ages() -> None:
    days = [image("2026-11-%02dT12:00:00Z" % day) for day in (1, 15, 21)]
    assert [wants(one, older_than="1d", newer_than="2w") for one in days] == [False, True, False]


def test_an_image_of_unknown_age_is_of_none() -> None:
    unknown = image(None)
    assert wants(unknown)
    assert not wants(unknown, older_than="1d")
    assert not wants(unknown, newer_than="1000w")


@pytest.mark.parametrize("age", ["", "d", "30", "1.5d", "-3d", "30 days", "1y", "999999999999999999w"])
@pytest.mark.parametrize("option", ["older_than", "newer_than"])
def test_what_is_no_age_is_said(option: str, age: str) -> None:
    with pytest.raises(InvalidSelection, match=r"\A%s is .* which is no age" % option):
        Selection.of({option: age}, NOW)


@pytest.mark.parametrize("ages", [("2w", "1d"), ("1d", "24h")])
def test_two_ages_that_no_image_can_have_are_said(ages: tuple[str, str]) -> None:
    with pytest.raises(InvalidSelection, match="no image is both"):
        Selection.of({"older_than": ages[0], "newer_than": ages[1]}, NOW)


def test_a_label_without_a_key_is_said() -> None:
    with pytest.raises(InvalidSelection, match=r"\Alabels: '=shop' has no key"):
        Selection.of({"labels": ["=shop"]}, NOW)
