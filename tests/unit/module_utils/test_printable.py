# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names that others chose do nothing to a terminal."""

from __future__ import annotations

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.printable import printable


@pytest.mark.parametrize(
    ("path", "text"),
    [("caf\udce9", "caf\\xe9"), ("a\x1b[2Jb", "a\\x1b[2Jb"), ("größe", "größe"), ("a\nb", "a\\nb")],
)
def test_a_path_can_be_printed(path: str, text: str) -> None:
    assert printable(path) == text
