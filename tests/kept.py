# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A play's last task that keeps what earlier ones registered: no module runs for it, which would take longer than many a task."""

from __future__ import annotations

import typing as t
from pathlib import Path

# for the environment of an ansible-playbook that has such a task
ENVIRONMENT = {"ANSIBLE_ACTION_PLUGINS": str(Path(__file__).parent / "action_plugins")}


def keep(expression: str, path: Path | str) -> dict[str, t.Any]:
    """A task that writes the value of a Jinja expression as JSON; in check mode too, and without showing it."""
    return {
        "name": "keep",
        "ansible.legacy.keep": {"text": "{{ %s | to_json }}" % expression, "path": str(path)},
        "no_log": True,
    }
