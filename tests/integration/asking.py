# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's nodes and its cluster, asked past Ansible and past the collection."""

from __future__ import annotations

import json
import subprocess
import time
import typing as t

from tests.lab.nodes import NODES
from tests.lab.places import Places


def on_node(node: str, *argv: str) -> str:
    """What a command on a node writes; it must succeed."""
    command = ["docker", "exec", NODES[node].container, *argv]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, f"{node}: {argv}: {done.stdout}{done.stderr}"
    return done.stdout


def kubectl(*arguments: str, data: str | None = None) -> str:
    """What kubectl writes; it must succeed."""
    places = Places.of_user()
    command = [str(places.lab / "bin" / "kubectl"), "--kubeconfig", str(places.kubeconfig), *arguments]
    done = subprocess.run(command, input=data, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, f"kubectl {arguments}: {done.stdout}{done.stderr}"
    return done.stdout


def in_cluster(*arguments: str) -> dict[str, t.Any]:
    """The document that kubectl writes."""
    return t.cast("dict[str, t.Any]", json.loads(kubectl(*arguments, "-o", "json")))


def eventually(condition: t.Callable[[], bool], seconds: float = 20) -> None:
    """Wait until it is so."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.05)
