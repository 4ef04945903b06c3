# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which stages of a delivery changed something, read from what ansible-playbook wrote."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import DemoError

# the plays of longshore.delivery.site, but for the one that only reads the registry's authority
STAGES = ("Build", "Registry", "Trust", "Push", "Pull", "Deploy")
PLAY = re.compile(r"^PLAY \[(?P<name>.*)\] \*+$")
CHANGED = re.compile(r"^changed: \[")


@dataclass(frozen=True)
class Stages:
    """How often each stage changed something: once for each host and each item of a task's loop."""

    changes: dict[str, int]

    @classmethod
    def of(cls, output: str) -> Stages:
        """From the default callback's output without colours. Raises DemoError for a stage that is not in it."""
        changes: dict[str, int] = {}
        play = ""
        for line in output.splitlines():
            heading = PLAY.match(line.rstrip())
            if heading:
                play = heading["name"]
                changes.setdefault(play, 0)
            elif CHANGED.match(line):
                changes[play] = changes.get(play, 0) + 1
        missing = [stage for stage in STAGES if stage not in changes]
        if missing:
            raise DemoError(f"the delivery had no stage {', '.join(missing)}, see its output above")
        return cls({stage: changes[stage] for stage in STAGES})

    def __str__(self) -> str:
        changed = [f"{stage} {changes}" for stage, changes in self.changes.items() if changes]
        untouched = [stage for stage, changes in self.changes.items() if not changes]
        return f"changes by stage: {', '.join(changed) or 'none'}; untouched: {', '.join(untouched) or 'none'}"

    def must_be_those_of_a_changed_source(self, nodes: int) -> None:
        """Raise DemoError unless exactly one image went the way it has to go: built, pushed, pulled by each of NODES, deployed.

        The node whose engine built it, if one did, has no need to pull it.
        """
        pulls = self.changes["Pull"]
        wanted = dict.fromkeys(STAGES, 0) | {"Build": 1, "Push": 1, "Deploy": 1}
        wanted["Pull"] = pulls if pulls in (nodes - 1, nodes) else nodes
        wrong = [
            f"{stage} changed {changes} times, not {wanted[stage]}"
            for stage, changes in self.changes.items()
            if changes != wanted[stage]
        ]
        if wrong:
            raise DemoError(f"a line of one image's source was changed, and {', '.join(wrong)}")
