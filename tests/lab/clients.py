# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What users of the lab find in CACHE/lab: inventory, kubeconfig, kubectl, and the way to dock's engine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from . import pki
from .access import write_atomically, write_inventory
from .engine import docker
from .node_files import kubeconfig
from .nodes import DOCK, Node
from .plan import Authorities

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from .places import Places

BUILDX = "/usr/libexec/docker/cli-plugins/docker-buildx"


def write(nodes: Iterable[Node], places: Places, programs: Mapping[str, Path]) -> None:
    """Write what is missing or different, each file in one rename."""
    listed = tuple(nodes)
    authorities = Authorities.of(places)
    write_inventory(listed, places)
    if "kubernetes" in programs:
        write_atomically(places.kubeconfig, kubeconfig(authorities.cluster, pki.ADMIN))
        _link(places.lab / "bin" / "kubectl", programs["kubernetes"] / "kubectl")
    if DOCK in listed:
        client = pki.BUILDER_CLIENT.file
        for name, source in {"ca": "ca.crt", "cert": f"{client}.crt", "key": f"{client}.key"}.items():
            write_atomically(places.builder / f"{name}.pem", authorities.builder.text(source))
        _buildx(places)


def _buildx(places: Places) -> None:
    """The buildx plugin of dock's package, for a controller that has none."""
    target = places.docker_config / "cli-plugins" / "docker-buildx"
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(".docker-buildx.partial")
    docker("cp", "--follow-link", f"{DOCK.container}:{BUILDX}", str(partial))
    os.replace(partial, target)


def _link(path: Path, target: Path) -> None:
    if path.is_symlink() and path.readlink() == target:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(target)
