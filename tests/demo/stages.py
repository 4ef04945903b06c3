# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which stages of a delivery changed something, read from what ansible-playbook wrote."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import DemoError

# the plays of longshore.delivery.site, but for the one that only reads the registry's authority
STAGES = ("Build", "Registry", "Trust", "Push", "Pull", "Deploy")
# what a change of an application's source is no reason to touch
UNCONCERNED = ("Registry", "Trust")

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

    @property
    def changed(self) -> list[str]:
        return [stage for stage, changes in self.changes.items() if changes]

    @property
    def untouched(self) -> list[str]:
        return [stage for stage, changes in self.changes.items() if not changes]

    def __str__(self) -> str:
        return f"stages that changed: {', '.join(self.changed) or 'none'}; untouched: {', '.join(self.untouched) or 'none'}"

    def must_be_those_of_a_changed_source(self) -> None:
        """Raise DemoError unless the pods were changed, and neither the registry nor who trusts it."""
        touched = [stage for stage in UNCONCERNED if self.changes[stage]]
        if touched:
            raise DemoError(
                f"a line of the application was changed, and {' and '.join(touched)} changed something: {self}"
            )
        if not self.changes["Deploy"]:
            raise DemoError(f"a line of the application was changed, and Deploy changed nothing: {self}")
