# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make benchmark` measures what it says it does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.lab.nodes import NODES

from .interruption import finished

pytestmark = pytest.mark.lab


STAGES = ("build", "registry", "trust", "distribute", "deploy", "site")


def test_every_stage_is_measured_against_an_empty_play_and_builds_against_others() -> None:
    finished("tests.lab", "up", "--nodes", ",".join(NODES))
    said = finished("tests.benchmark", "1")
    results: dict[str, dict[str, Any]] = {}
    for line in said[said.index("{") :].splitlines():
        results.update(json.loads(line))
    stages = [f"{stage}, nothing to do / an empty play" for stage in STAGES]
    assert list(results)[: len(stages)] == stages
    assert all(results[stage]["ratio"] > 1 for stage in stages)
    others = [name.partition(" / ")[2] for name in list(results)[len(stages) :]]
    assert others == [
        "a play that reaches its host by SSH, as root",
        "the same by community.crypto's and Ansible's modules",
        "an empty play",
        "100 times at 1,000",
        "an empty play",
        "docker_image_build, nothing changed",
        "docker buildx build, a changed file",
        "gzip -dc of them",
    ]
    assert all(limit["limit"] for name in list(results)[len(stages) :] for limit in results[name]["limits"])
