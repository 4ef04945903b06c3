# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab as wanted: its containers and a digest of everything, from what the cache and the lab's keys hold."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import pki
from .access import make_keys
from .containers import Container, Host, flags
from .node_files import (
    NodeFile,
    builder_secrets,
    cluster_secrets,
    overlay_files,
    program_links,
)
from .node_images import node_image
from .places import SOURCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from .nodes import Node
    from .places import Places

PLAYBOOKS = SOURCE / "ansible"


@dataclass(frozen=True)
class Authorities:
    """The lab's two certificate authorities."""

    cluster: pki.Authority
    builder: pki.Authority

    @classmethod
    def of(cls, places: Places) -> Authorities:
        return cls(
            pki.Authority(places.pki / "cluster", "longshore-lab"),
            pki.Authority(places.pki / "builder", "longshore-lab-builder"),
        )

    def issue(self) -> None:
        self.cluster.issue(*pki.KUBERNETES)
        self.cluster.service_account_key()
        self.builder.issue(pki.BUILDER_SERVER, pki.BUILDER_CLIENT)


@dataclass(frozen=True)
class Plan:
    """Containers of the wanted lab, in order."""

    containers: tuple[Container, ...]

    @property
    def nodes(self) -> tuple[Node, ...]:
        return tuple(container.node for container in self.containers)

    @property
    def digest(self) -> str:
        """Names this lab: its containers and what the playbook puts into the cluster."""
        parts = [container.wanted for container in self.containers]
        parts += [path.read_text(encoding="utf-8") for path in sorted(PLAYBOOKS.rglob("*")) if path.is_file()]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def plan(nodes: Iterable[Node], places: Places, programs: Mapping[str, Path], archives: Path) -> Plan:
    """The wanted lab. Makes the keys and certificates that are missing."""
    nodes = tuple(nodes)
    make_keys(places, nodes)
    authorities = Authorities.of(places)
    authorities.issue()
    host = Host.here()
    containers = []
    for node in nodes:
        files = (*overlay_files(node), *program_links(node), *_access_files(node, places))
        if node.in_cluster:
            files += tuple(cluster_secrets(node, authorities.cluster))
        else:
            files += tuple(builder_secrets(authorities.builder))
        containers.append(Container(node, node_image(node.image).tag, flags(node, host, programs, archives), files))
    return Plan(tuple(containers))


def _access_files(node: Node, places: Places) -> tuple[NodeFile, ...]:
    def text(name: str) -> str:
        return (places.ssh / name).read_text(encoding="ascii")

    return (
        NodeFile("root/.ssh/authorized_keys", text("id_ed25519.pub"), 0o600),
        NodeFile("etc/ssh/ssh_host_ed25519_key", text(f"host_{node.name}"), 0o600),
        NodeFile("etc/ssh/ssh_host_ed25519_key.pub", text(f"host_{node.name}.pub")),
    )
