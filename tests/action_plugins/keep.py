# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes what a task registered to a file on the controller, for a test to read; see tests/kept.py."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        path = Path(self._task.args["path"])
        path.touch(mode=0o600)
        path.write_text(self._task.args["text"])
        return {"changed": False}
