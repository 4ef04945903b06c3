# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host's Docker engine, asked through its command line client."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .command import Completed, run

if TYPE_CHECKING:
    from collections.abc import Sequence

# The classic builder: the engine may be older than its client, and the host need not have buildx.
ENVIRONMENT = {"DOCKER_BUILDKIT": "0", "DOCKER_CLI_HINTS": "false"}


def docker(*arguments: str, data: bytes | None = None, check: bool = True, timeout: float | None = None) -> Completed:
    """`docker` with these arguments. Raises LabError with the engine's words unless check is False."""
    return run(["docker", *arguments], data=data, check=check, environment=ENVIRONMENT, timeout=timeout)


def inspect(kind: str, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What the engine says of those of the named containers, images, networks or volumes that exist, by given name."""
    if not names:
        return {}
    answer = docker(kind, "inspect", *names, check=False)
    found: list[dict[str, Any]] = json.loads(answer.stdout or "[]")
    by_name: dict[str, dict[str, Any]] = {}
    for item in found:
        for name in {item.get("Name", "").lstrip("/"), *(item.get("RepoTags") or [])}:
            if name in names:
                by_name[name] = item
    return by_name


def labelled(kind: str, label: str) -> list[str]:
    """Names of all containers, networks or volumes with this label, stopped ones among them."""
    arguments = [kind, "ls", "--filter", f"label={label}"]
    arguments += ["--all", "--format", "{{.Names}}"] if kind == "container" else ["--format", "{{.Name}}"]
    return docker(*arguments).stdout.split()
