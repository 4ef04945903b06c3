# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plays that import the collection's playbooks. All hosts are this machine, or nowhere."""

from __future__ import annotations

import os
import subprocess
import sys
import typing as t
from pathlib import Path

import yaml

CHECKOUT = Path(__file__).resolve().parents[3]
HERE = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "ansible_become": False}
NOWHERE = {"ansible_host": "127.0.0.1", "ansible_port": 9, "ansible_ssh_common_args": "-F none"}

Play = dict[str, t.Any]


class Playbooks:
    """Runs plays on nodes n1, n2, n3 and a registry's host.

    :ivar registry_hosts: the hosts of that group; with none the registry is one that is there already.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.registry_hosts = ["reg"]
        link = directory / "collections" / "ansible_collections" / "longshore" / "delivery"
        link.parent.mkdir(parents=True)
        link.symlink_to(CHECKOUT)
        (directory / "ansible.cfg").touch()

    def run(self, plays: list[Play], *flags: str, away: t.Collection[str] = (), **variables: t.Any) -> tuple[int, str]:
        """The exit status, and both outputs as one line."""
        groups = {"longshore_nodes": ["n1", "n2", "n3"], "longshore_registry_hosts": self.registry_hosts}
        hosts = [host for members in groups.values() for host in members]
        inventory = {
            "all": {
                "hosts": {host: NOWHERE if host in away else HERE for host in hosts},
                "children": {name: {"hosts": {host: {} for host in members}} for name, members in groups.items()},
            }
        }
        for name, document in {"hosts.yml": inventory, "plays.yml": plays, "variables.yml": variables}.items():
            (self.directory / name).write_text(yaml.safe_dump(document, sort_keys=False))
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        done = subprocess.run(
            [program, "-i", "hosts.yml", "-e", "@variables.yml", *flags, "plays.yml"],
            cwd=self.directory,
            env={
                **os.environ,
                "ANSIBLE_CONFIG": str(self.directory / "ansible.cfg"),
                "ANSIBLE_COLLECTIONS_PATH": str(self.directory / "collections"),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, " ".join((done.stdout + done.stderr).split())


def imported(name: str, **variables: object) -> Play:
    return {"name": name, "ansible.builtin.import_playbook": f"longshore.delivery.{name}", "vars": variables}


def on(hosts: str, *tasks: dict[str, t.Any], **play: t.Any) -> Play:
    return {"name": "A play", "hosts": hosts, "gather_facts": False, "tasks": list(tasks), **play}
