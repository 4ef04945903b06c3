# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A demo that is interrupted in any of its stages is brought to its end by the next one."""

from __future__ import annotations

import pytest

from tests.lab.nodes import NODES

from .interruption import Point, finished, interrupted, left_running

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]

# "killed" leaves nobody to tidy up; "killed alone" leaves the playbook to end beside the next demo
POINTS = (
    Point("killed", delay=0.5),
    Point("Ctrl-C", after="PLAY [Build]", delay=1),
    Point("killed", after="PLAY [Registry]", delay=2),
    Point("Ctrl-C", after="PLAY [Registry]", delay=4),
    Point("killed", after="PLAY [Trust]", delay=2),
    Point("killed", after="PLAY [Push]", delay=1),
    Point("Ctrl-C", after="PLAY [Pull]", delay=1),
    Point("killed", after="PLAY [Deploy]", delay=2),
    Point("Ctrl-C", after="PLAY [Deploy]", delay=4),
)


def test_an_interrupted_demo_is_brought_to_its_end_by_the_next() -> None:
    finished("tests.lab", "up", "--nodes", ",".join(NODES))
    of_the_lab = set(left_running())
    for point in POINTS:
        interrupted(point, "tests.demo")
    said = finished("tests.demo")
    assert "pods ready" in said
    assert [process for process in left_running() if process not in of_the_lab and "ssh:" not in process] == []
