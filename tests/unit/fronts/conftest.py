# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs tasks through ansible-playbook, by either front, in a copy of the collection that also has the probe capability."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).resolve().parent

MODULE = '''
from __future__ import annotations
DOCUMENTATION = """
module: front_probe
short_description: probe
description: [probe]
author: [longshore contributors]
options: {}
"""
from ansible_collections.longshore.delivery.plugins.module_utils.capability import module_main
from ansible_collections.longshore.delivery.plugins.module_utils.front_probe import CAPABILITY

def main():
    module_main(CAPABILITY)

if __name__ == "__main__":
    main()
'''

ACTION = """
from __future__ import annotations
from ansible_collections.longshore.delivery.plugins.module_utils.front_probe import CAPABILITY
from ansible_collections.longshore.delivery.plugins.plugin_utils.front import CapabilityAction

class ActionModule(CapabilityAction):
    capability = CAPABILITY
"""

# what sends a task to its module: the least intrusive of the cases of dispatch
AS_A_MODULE = {"environment": {"LONGSHORE_TEST": "1"}}

LOCAL = "localhost ansible_connection=local ansible_python_interpreter={{ansible_playbook_python}}\n"


@dataclasses.dataclass
class Run:
    """One ansible-playbook: its outputs, and the results of its tasks in order."""

    rc: int
    stdout: str
    stderr: str
    results: list[dict[str, t.Any]]

    def said(self) -> str:
        """Standard error without the words that name the task's place or wrap lines."""
        text = re.sub(r"\x1b\[[0-9;]*m", "", self.stderr)
        text = re.sub(r"Origin: \S+", "Origin", text)
        return re.sub(r"\s+", " ", text).strip()


class Playbook:
    """Runs plays made of single tasks."""

    def __init__(self, collections: Path, directory: Path) -> None:
        self.collections = collections
        self.directory = directory

    def run(
        self,
        *tasks: dict[str, t.Any],
        flags: t.Sequence[str] = (),
        callback: str = "default",
        inventory: str = LOCAL,
        play: dict[str, t.Any] | None = None,
        environment: dict[str, str] | None = None,
    ) -> Run:
        """Run tasks one after the other, failures ignored, and read what each registered."""
        output = self.directory / "results.json"
        output.unlink(missing_ok=True)
        listed: list[dict[str, t.Any]] = []
        for number, task in enumerate(tasks):
            listed.append({"name": "task", "ignore_errors": True, "register": f"result_{number}", **task})
        names = ", ".join(f"result_{number}" for number in range(len(tasks)))
        listed.append(
            {
                "name": "write",
                "ansible.builtin.copy": {
                    "content": "{{ [%s] | to_json }}" % names,
                    "dest": str(output),
                    "mode": "0600",
                },
                "check_mode": False,
                "diff": False,
                "no_log": True,
                "delegate_to": "localhost",
                "vars": {"ansible_python_interpreter": sys.executable},
            }
        )
        playbook = self.directory / "play.yml"
        playbook.write_text(
            yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": listed, **(play or {})}], sort_keys=False)
        )
        hosts = self.directory / "hosts.ini"
        hosts.write_text(inventory)
        configuration = self.directory / "ansible.cfg"
        configuration.touch()
        done = subprocess.run(
            [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(hosts), *flags, str(playbook)],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.directory,
            env={
                **os.environ,
                "ANSIBLE_COLLECTIONS_PATH": str(self.collections),
                "ANSIBLE_CONFIG": str(configuration),
                "ANSIBLE_STDOUT_CALLBACK": callback,
                "ANSIBLE_NOCOLOR": "1",
                "ANSIBLE_LOCALHOST_WARNING": "0",
                "ANSIBLE_DEPRECATION_WARNINGS": "1",
                **(environment or {}),
            },
        )
        if not output.exists():
            pytest.fail(f"the playbook did not come to its end:\n{done.stdout}\n{done.stderr}")
        return Run(done.returncode, done.stdout, done.stderr, json.loads(output.read_text()))

    def by_both(self, task: dict[str, t.Any], **how: t.Any) -> tuple[Run, Run]:
        """The same task in process and as a module."""
        return self.run(task, **how), self.run({**task, **AS_A_MODULE}, **how)


@pytest.fixture(scope="session")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collections directory in which longshore.delivery has the probe beside its own capabilities."""
    root = tmp_path_factory.mktemp("collections")
    collection = root / "ansible_collections" / "longshore" / "delivery"
    for source in [*(CHECKOUT / "plugins").rglob("*.py"), CHECKOUT / "meta" / "runtime.yml", CHECKOUT / "galaxy.yml"]:
        target = collection / source.relative_to(CHECKOUT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(source)
    plugins = collection / "plugins"
    (plugins / "module_utils" / "front_probe.py").write_text((HERE / "probe_capability.py").read_text())
    for directory in ("modules", "action"):
        (plugins / directory).mkdir(exist_ok=True)
    (plugins / "modules" / "front_probe.py").write_text(MODULE)
    (plugins / "action" / "front_probe.py").write_text(ACTION)
    return root


@pytest.fixture
def playbook(collections: Path, tmp_path: Path) -> Playbook:
    return Playbook(collections, tmp_path)
