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


def test_changes_are_counted_by_stage() -> None:
    stages = Stages.of(output(Build=1, Push=2, Pull=3, Deploy=1))
    assert stages.changes == {"Build": 1, "Registry": 0, "Trust": 0, "Push": 2, "Pull": 3, "Deploy": 1}
    assert str(stages) == "stages that changed: Build, Push, Pull, Deploy; untouched: Registry, Trust"
    stages.must_be_those_of_a_changed_source()


def test_an_image_that_is_there_already_needs_no_build() -> None:
    Stages.of(output(Deploy=1)).must_be_those_of_a_changed_source()


@pytest.mark.parametrize("touched", ["Registry", "Trust"])
def test_a_changed_source_is_no_reason_to_touch_the_registry_or_its_trust(touched: str) -> None:
    with pytest.raises(DemoError, match=f"{touched} changed something"):
        Stages.of(output(Deploy=1, **{touched: 1})).must_be_those_of_a_changed_source()


def test_a_delivery_that_deployed_nothing_is_told() -> None:
    with pytest.raises(DemoError, match="Deploy changed nothing"):
        Stages.of(output(Build=1)).must_be_those_of_a_changed_source()


def test_a_stage_that_did_not_run_is_not_taken_for_untouched() -> None:
    with pytest.raises(DemoError, match="no stage Trust"):
        Stages.of(output().replace("PLAY [Trust]", "PLAY [Thrust]"))
