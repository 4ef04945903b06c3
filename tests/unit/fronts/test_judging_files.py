# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What passed a gate in one front has passed it in the other: both know the files that judge as the same."""

from __future__ import annotations

from pathlib import Path

from .playbook import ACTION, MODULE, Playbook

CAPABILITY = """
from __future__ import annotations
from ansible_collections.longshore.delivery.plugins.module_utils.build.judging_files import DECIDING, judging_files
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Capability

def run(params, context):
    # as image_set does, so that Ansible packs them
    from ansible_collections.longshore.delivery.plugins.module_utils.audit.image_audit import CAPABILITY
    from ansible_collections.longshore.delivery.plugins.module_utils.build.image_set import image_set
    from ansible_collections.longshore.delivery.plugins.module_utils.trial.image_trial import CAPABILITY
    return {"files": {gate: judging_files(gate) for gate in DECIDING}}

CAPABILITY = Capability(run=run, argument_spec={})
"""


def test_both_fronts_know_the_files_that_judge_as_the_same(collections: Path, playbook: Playbook) -> None:
    plugins = collections / "ansible_collections" / "longshore" / "delivery" / "plugins"
    (plugins / "module_utils" / "judging_probe.py").write_text(CAPABILITY)
    (plugins / "modules" / "judging_probe.py").write_text(MODULE.replace("front_probe", "judging_probe"))
    (plugins / "action" / "judging_probe.py").write_text(ACTION.replace("front_probe", "judging_probe"))
    [here], [module] = (run.results for run in playbook.by_both({"longshore.delivery.judging_probe": {}}))
    assert here["files"] == module["files"]
    assert len(set(here["files"].values())) == 2
