# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which stages changed, from what ansible-playbook writes."""

from __future__ import annotations

import pytest

from tests.demo.errors import DemoError
from tests.demo.stages import STAGES, Stages


def output(**changed: int) -> str:
    """A delivery's output with so many changed items a stage, in the default callback's words."""
    lines = []
    for stage in STAGES:
        lines += [f"PLAY [{stage}] ***********************", "", f"TASK [longshore.delivery.{stage} : Do it] *****"]
        lines += ["ok: [n1]", "    changed: true", "skipping: [n2]", "localhost | web: changed: [n1]"]
        lines += [f"changed: [localhost] => (item={number})" for number in range(changed.get(stage, 0))]
        lines += ["", "PLAY [The registry's authority] ***", "skipping: no hosts matched"]
    lines += ["PLAY RECAP *****************", "n1   : ok=4    changed=3    unreachable=0    failed=0", ""]
    return "\n".join(lines)


ONE_IMAGE = {"Build": 1, "Push": 1, "Pull": 3, "Deploy": 1}


def test_changes_are_counted_by_stage() -> None:
    stages = Stages.of(output(Build=1, Push=2, Pull=3, Deploy=1))
    assert stages.changes == {"Build": 1, "Registry": 0, "Trust": 0, "Push": 2, "Pull": 3, "Deploy": 1}
    assert str(stages) == "changes by stage: Build 1, Push 2, Pull 3, Deploy 1; untouched: Registry, Trust"


@pytest.mark.parametrize("nodes", [3, 4], ids=["every node pulls", "one has built it"])
def test_a_changed_source_goes_its_way_once(nodes: int) -> None:
    Stages.of(output(**ONE_IMAGE)).must_be_those_of_a_changed_source(nodes)


@pytest.mark.parametrize(
    ("stage", "changes"),
    [
        ("Registry", 1),
        ("Trust", 1),
        ("Build", 0),
        ("Build", 2),
        ("Push", 0),
        ("Push", 2),
        ("Pull", 0),
        ("Pull", 1),
        ("Pull", 4),
        ("Deploy", 0),
        ("Deploy", 2),
    ],
)
def test_every_other_change_is_told(stage: str, changes: int) -> None:
    with pytest.raises(DemoError, match=f"image's source was changed, and {stage} changed {changes} times, not "):
        Stages.of(output(**{**ONE_IMAGE, stage: changes})).must_be_those_of_a_changed_source(3)


def test_a_stage_that_did_not_run_is_not_taken_for_untouched() -> None:
    with pytest.raises(DemoError, match="no stage Trust"):
        Stages.of(output().replace("PLAY [Trust]", "PLAY [Thrust]"))
