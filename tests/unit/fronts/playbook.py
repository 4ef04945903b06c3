# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs tasks through ansible-playbook, by either front, in a copy of the collection that also has the probe capability."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import typing as t
from pathlib import Path

import pytest
import yaml

from tests.kept import ENVIRONMENT, keep

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

IN_PROCESS = "in process"
# a keyword, of a task or its play, that sends a task to its module: the least intrusive of the cases of dispatch
AS_A_MODULE = {"environment": {"LONGSHORE_TEST": "1"}}

LOCAL = "localhost ansible_connection=local ansible_python_interpreter={{ansible_playbook_python}}\n"

# Tasks name it by SECRET_VARIABLE. ansible-core quotes the playbook beside an error, which then shows the variable: wherever
# the secret itself is seen, a front has let it go.
SECRET = "hunter2-very-secret"
SECRET_VARIABLE = "{{ a_secret }}"

# how directories of runs begin: all are of one length, as ansible-core breaks lines by it
PLACE = "run-"

# after which an ansible-playbook is ended that does not end by itself, as one does that waits for its test
HANGS_AFTER_SECONDS = 300


@dataclasses.dataclass
class Run:
    """One ansible-playbook: its outputs, and the results of its tasks in order, none where it did not come to its end."""

    rc: int
    stdout: str
    stderr: str
    results: list[dict[str, t.Any]]

    def said(self) -> str:
        """Standard error with its lines joined, but for its place and ansible-core's own word for which front has failed."""
        text = re.sub(rf"{PLACE}\d\d\d", PLACE, " ".join(self.stderr.split()))
        return re.sub(r"Task failed: (Action|Module) failed", "Task failed", text)

    def fronts(self) -> list[tuple[str, str]]:
        """Each task's capability and which front ran it, as it says with C(-vvv)."""
        return re.findall(r"^<\S+> longshore\.delivery\.(\w+): (in process|as a module: .*?)\s*$", self.stdout, re.M)


class Running:
    """An ansible-playbook that was started: its output can be read, and the world changed, while it runs."""

    def __init__(self, process: subprocess.Popen[str], errors: Path, results: Path) -> None:
        self._process, self._errors, self._results = process, errors, results
        self._seen: list[str] = []
        self._hangs = threading.Timer(HANGS_AFTER_SECONDS, process.kill)
        self._hangs.daemon = True
        self._hangs.start()

    def until(self, text: str) -> str:
        """Read until a line has this in it, and return that line."""
        for line in t.cast("t.IO[str]", self._process.stdout):
            self._seen.append(line)
            if text in line:
                return line
        return pytest.fail(f"{text!r} was never said:\n{''.join(self._seen)}\n{self._errors.read_text()}")

    def interrupt(self, number: signal.Signals = signal.SIGINT) -> None:
        """Do as Ctrl-C does: the workers are sessions of their own, so that a terminal signals none of them."""
        self._process.send_signal(number)

    def end(self) -> Run:
        self._seen += t.cast("t.IO[str]", self._process.stdout)
        self._process.wait()
        self._hangs.cancel()
        t.cast("t.IO[str]", self._process.stdout).close()
        results = json.loads(self._results.read_text()) if self._results.exists() else []
        return Run(self._process.returncode, "".join(self._seen), self._errors.read_text(), results)


class Playbook:
    """Runs plays made of single tasks."""

    def __init__(self, collections: Path, directory: Path) -> None:
        self.collections = collections
        self.directory = directory
        self._started = 0

    def start(
        self,
        *tasks: dict[str, t.Any],
        flags: t.Sequence[str] = (),
        callback: str = "default",
        inventory: str | Path = LOCAL,
        play: dict[str, t.Any] | None = None,
        environment: dict[str, str] | None = None,
    ) -> Running:
        """Start tasks one after the other, failures ignored.

        :param tasks: each with C(hosts) where it is not to run on localhost.
        :param inventory: its text, or an inventory that is there.
        :param play: keywords of the plays.
        """
        self._started += 1
        place = self.directory / f"{PLACE}{self._started:03}"
        place.mkdir()
        written = {name: place / name for name in ("play.yml", "hosts.ini", "vars.json", "results.json", "errors")}
        written["play.yml"].write_text(
            yaml.safe_dump(_plays(tasks, play or {}, written["results.json"]), sort_keys=False)
        )
        written["vars.json"].write_text(json.dumps({"a_secret": SECRET}))
        if isinstance(inventory, str):
            written["hosts.ini"].write_text(inventory)
            inventory = written["hosts.ini"]
        configuration = place / "ansible.cfg"
        configuration.touch()
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        variables = ["--extra-vars", f"@{written['vars.json']}"]
        with written["errors"].open("w") as errors:
            process = subprocess.Popen(
                [program, "-i", str(inventory), *variables, *flags, str(written["play.yml"])],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=place,
                env={
                    **os.environ,
                    **ENVIRONMENT,
                    "ANSIBLE_COLLECTIONS_PATH": str(self.collections),
                    "ANSIBLE_CONFIG": str(configuration),
                    "ANSIBLE_STDOUT_CALLBACK": callback,
                    "ANSIBLE_NOCOLOR": "1",
                    "ANSIBLE_DISPLAY_FAILED_STDERR": "1",
                    "ANSIBLE_LOCALHOST_WARNING": "0",
                    "ANSIBLE_DEPRECATION_WARNINGS": "1",
                    **(environment or {}),
                },
            )
        return Running(process, written["errors"], written["results.json"])

    def run(self, *tasks: dict[str, t.Any], **how: t.Any) -> Run:
        """Run tasks as C(start) does, and read what each registered."""
        return _whole(self.start(*tasks, **how), len(tasks))

    def by_both(self, *tasks: dict[str, t.Any], **how: t.Any) -> tuple[Run, Run]:
        """The same tasks, on the same lines and at the same time, in process and as modules."""
        play = how.pop("play", {})
        here = self.start(*tasks, play=play, **how)
        module = self.start(*tasks, play={**play, **AS_A_MODULE}, **how)
        return _whole(here, len(tasks)), _whole(module, len(tasks))


def _whole(running: Running, tasks: int) -> Run:
    """The run of a playbook that comes to its end."""
    run = running.end()
    if len(run.results) != tasks:
        pytest.fail(f"the playbook did not come to its end:\n{run.stdout}\n{run.stderr}")
    return run


def _plays(tasks: t.Sequence[dict[str, t.Any]], keywords: dict[str, t.Any], results: Path) -> list[dict[str, t.Any]]:
    """Plays of the tasks, neighbours on the same hosts in one, and a last one that writes what they registered."""
    named = [(task.get("hosts", "localhost"), f"result_{number}", task) for number, task in enumerate(tasks)]
    plays = []
    for hosts, group in itertools.groupby(named, key=lambda entry: entry[0]):
        listed = [
            {"name": "task", "ignore_errors": True, "register": name, **{k: v for k, v in task.items() if k != "hosts"}}
            for _hosts, name, task in group
        ]
        plays.append({"hosts": hosts, "gather_facts": False, "tasks": listed, **keywords})
    registered = ", ".join(f"hostvars['{hosts}']['{name}']" for hosts, name, _task in named)
    kept = keep(f"[{registered}]", results)
    return [*plays, {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [kept]}]


def collection_with_probe(root: Path) -> Path:
    """Make of ROOT a collections directory in which longshore.delivery has the probe beside its own capabilities."""
    collection = root / "ansible_collections" / "longshore" / "delivery"
    for source in [*(CHECKOUT / "plugins").rglob("*.py"), CHECKOUT / "meta" / "runtime.yml", CHECKOUT / "galaxy.yml"]:
        target = collection / source.relative_to(CHECKOUT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(source)
    plugins = collection / "plugins"
    (plugins / "module_utils" / "front_probe.py").write_text((HERE / "probe_capability.py").read_text())
    for directory, text in (("modules", MODULE), ("action", ACTION)):
        (plugins / directory / "front_probe.py").write_text(text)
    return root


def lives(process: int) -> bool:
    """Whether a process runs; one that has ended and that nobody has asked about does not."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False
