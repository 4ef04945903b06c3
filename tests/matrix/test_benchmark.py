# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make benchmark` measures what it says it does."""

from __future__ import annotations

import json

import pytest

from tests.lab.nodes import NODES

from .interruption import finished

pytestmark = pytest.mark.lab


def test_every_stage_is_measured_against_an_empty_play() -> None:
    finished("tests.lab", "up", "--nodes", ",".join(NODES))
    said = finished("tests.benchmark", "1")
    results = json.loads(said[said.index("{") :])
    assert [name.partition(",")[0] for name in results] == [
        "build",
        "registry",
        "trust",
        "distribute",
        "deploy",
        "site",
    ]
    for name, result in results.items():
        assert name.endswith("nothing to do / an empty play")
        assert result["ratio"] > 1
