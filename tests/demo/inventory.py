# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts, groups and variables of a delivery, as Ansible itself reads them from the inventories."""

from __future__ import annotations

import json
import subprocess
import typing as t
from dataclasses import dataclass

from .errors import DemoError
from .settings import Settings

NODES = "longshore_nodes"  # the group of hosts whose engines are to hold the images


@dataclass(frozen=True)
class Inventory:
    """`variables` by host, those of localhost too: the plays that build, push and deploy run there."""

    hosts: frozenset[str]
    groups: dict[str, frozenset[str]]
    variables: dict[str, dict[str, t.Any]]

    @classmethod
    def of(cls, settings: Settings) -> Inventory:
        """Raises DemoError where Ansible cannot read one of the inventories."""
        listed = _ansible_inventory(settings, "--list")
        variables = dict(listed.pop("_meta")["hostvars"])
        variables["localhost"] = _ansible_inventory(settings, "--host", "localhost")
        groups = {name: frozenset(_members(listed, name)) for name in listed}
        hosts = frozenset(host for members in groups.values() for host in members)
        return cls(hosts, groups, variables)

    def group(self, name: str) -> list[str]:
        return sorted(self.groups.get(name, ()))


def _members(listed: dict[str, t.Any], group: str) -> set[str]:
    entry = listed.get(group, {})
    members = set(entry.get("hosts", ()))
    return members.union(*(_members(listed, child) for child in entry.get("children", ())))


def _ansible_inventory(settings: Settings, *arguments: str) -> dict[str, t.Any]:
    command = ["ansible-inventory", *arguments]
    for inventory in settings.inventories:
        command += ["-i", str(inventory)]
    done = subprocess.run(
        command,
        cwd=settings.workspace,
        # what cannot be read would else be a warning, and the inventory empty
        env={**settings.environment, "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1", "ANSIBLE_FORCE_COLOR": "0"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()] or [f"status {done.returncode}"]
        errors = [line for line in said if line.startswith("[ERROR]: ")] or said
        raise DemoError(f"Ansible cannot read the inventory: {errors[-1].removeprefix('[ERROR]: ')}")
    return t.cast("dict[str, t.Any]", json.loads(done.stdout))
