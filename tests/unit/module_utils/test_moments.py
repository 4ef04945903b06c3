# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Times as others write them."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.moments import time_of


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11-21T15:04:05Z", "2026-11-21 15:04:05+00:00"),
        ("2026-11-21T15:04:05.123456789Z", "2026-11-21 15:04:05+00:00"),
        ("2026-11-21T15:04:05+02:00", "2026-11-21 13:04:05+00:00"),
        ("2026-11-21 15:04:05.5 -0130 -0130", "2026-11-21 16:34:05+00:00"),  # Go's String
        ("1970-01-01T00:00:00Z", "1970-01-01 00:00:00+00:00"),
        ("0001-01-01T00:00:00Z", "None"),
        ("0001-01-01T00:00:00+10:00", "None"),
        ("2026-13-41T15:04:05Z", "None"),
        ("", "None"),
        (None, "None"),
        (1763737445, "None"),
    ],
)
def test_times(text: t.Any, utc: str) -> None:
    assert str(time_of(text)) == utc
