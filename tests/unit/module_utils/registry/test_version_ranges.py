# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tags are versions of which ranges, and what is no range."""

from __future__ import annotations

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.registry.version_ranges import NoRange, VersionRange

TAGS = ["1", "v1.2", "1.2.3", "1.3.0-rc.1", "1.3-alpine", "1.10.0", "2.0.0", "2.0.1_build5", "0.4.1", "0.0.7", "latest"]


@pytest.mark.parametrize(
    ("text", "fitting"),
    [
        ("*", "1 v1.2 1.2.3 1.3.0-rc.1 1.3-alpine 1.10.0 2.0.0 2.0.1_build5 0.4.1 0.0.7"),
        ("1.2.3", "1.2.3"),
        ("=v1.2", "v1.2 1.2.3"),
        ("1.x", "1 v1.2 1.2.3 1.3.0-rc.1 1.3-alpine 1.10.0"),
        (">=1.3", "1.3.0-rc.1 1.3-alpine 1.10.0 2.0.0 2.0.1_build5"),
        (">1.3", "1.10.0 2.0.0 2.0.1_build5"),
        (">2.0.0", "2.0.1_build5"),
        ("<1.2.3", "1 v1.2 0.4.1 0.0.7"),
        ("<=1.2", "1 v1.2 1.2.3 0.4.1 0.0.7"),
        (">= 1.2 <2", "v1.2 1.2.3 1.3.0-rc.1 1.3-alpine 1.10.0"),
        (">=1.2, <1.3", "v1.2 1.2.3"),
        ("^1.2.3", "1.2.3 1.3.0-rc.1 1.3-alpine 1.10.0"),
        ("^0.4", "0.4.1"),
        ("^0.0.7", "0.0.7"),
        ("^0", "0.4.1 0.0.7"),
        ("~1.2", "v1.2 1.2.3"),
        ("~1.2.3", "1.2.3"),
        ("~1", "1 v1.2 1.2.3 1.3.0-rc.1 1.3-alpine 1.10.0"),
        ("<0.1 || ^2", "2.0.0 2.0.1_build5 0.0.7"),
    ],
)
def test_a_range_has_versions(text: str, fitting: str) -> None:
    found = VersionRange.parse(text)
    assert [tag for tag in TAGS if found.has(tag)] == fitting.split()


@pytest.mark.parametrize(
    "text", ["", "latest", "1.2 - 1.4", ">", "1.2.3.4", "1.0-rc.1", "^1 ||", ">=1.4<2", ">*", "!=1.4", "01a"]
)
def test_what_is_no_range_is_said(text: str) -> None:
    with pytest.raises(NoRange):
        VersionRange.parse(text)


@pytest.mark.parametrize("tag", ["latest", "1.2.3.4", "release-1.2", "1..2", "", "v", "\u0661.2"])
def test_what_is_no_version_is_of_no_range(tag: str) -> None:
    assert not VersionRange.parse("*").has(tag)
