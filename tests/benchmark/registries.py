# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role registry with nothing to do, against the least that reaches its hosts and against the same by other modules."""

from __future__ import annotations

import typing as t
from pathlib import Path

from tests.demo.settings import Settings

from .pairs import Limit, Row, paired

HERE = Path(__file__).resolve().parent
# the least that reaches hosts by SSH, as root
REACHED = """
- hosts: {hosts}
  gather_facts: false
  become: true
  tasks:
    - ansible.builtin.ping:
"""
NODES = str(HERE / "registry_on_nodes.yml")
PEER = str(HERE / "registry_of_modules.yml")
CLEARED = """
- hosts: longshore_registry_hosts
  gather_facts: false
  become: true
  tasks:
    - ansible.builtin.file: {path: /etc/longshore-benchmark, state: absent}
"""


def rows(
    settings: Settings,
    seconds: t.Callable[[str], float],
    run: t.Callable[..., object],
    runs: int,
) -> t.Iterator[tuple[str, Row]]:
    """
    :param seconds: runs a playbook that changes nothing.
    :param run: runs one that may.
    """
    reached = settings.workspace / "reached.yml"
    reached.write_text(REACHED.format(hosts="longshore_registry_hosts"))
    cleared = settings.workspace / "cleared.yml"
    cleared.write_text(CLEARED)
    yield (
        "the role registry, nothing to do / a play that reaches its host by SSH, as root",
        paired(lambda: seconds("registry"), lambda: seconds(str(reached)), runs, Limit("ratio", 2)),
    )
    try:
        run(PEER)
        yield (
            "the role registry, nothing to do / the same by community.crypto's and Ansible's modules",
            paired(lambda: seconds("registry"), lambda: seconds(PEER), runs, Limit("ratio", 0.5)),
        )
    finally:
        run(str(cleared))
    nodes = settings.workspace / "nodes.yml"
    nodes.write_text(REACHED.format(hosts="longshore_nodes"))
    try:
        run(NODES)
        yield (
            "the role registry on each node of the lab, nothing to do / a play that reaches them by SSH, as root",
            paired(lambda: seconds(NODES), lambda: seconds(str(nodes)), runs, Limit("ratio", 3)),
        )
    finally:
        run(NODES, registry_state="absent", registry_remove_data=True)
