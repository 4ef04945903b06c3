# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How Ansible reaches the nodes: one key of the lab's user, a host key for each node that is known before it boots."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from .command import run
from .nodes import NODES, Node

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from .places import Places


def make_keys(places: Places, nodes: Iterable[Node] = ()) -> None:
    """id_ed25519, the host keys of all the lab's nodes and of these, and known_hosts, as far as they are missing."""
    known = tuple(dict.fromkeys([*NODES.values(), *nodes]))
    places.ssh.mkdir(parents=True, exist_ok=True, mode=0o700)
    _key_pair(places.ssh / "id_ed25519")
    for node in known:
        _key_pair(host_key(places, node))
    lines = [f"{node.address} {_public(host_key(places, node))}\n" for node in known]
    write_atomically(places.ssh / "known_hosts", "".join(lines))


def host_key(places: Places, node: Node) -> Path:
    """Private host key of a node; the public one is beside it."""
    return places.ssh / f"host_{node.name}"


def ssh_options(places: Places) -> list[str]:
    """Options of ssh that make it use the lab's key, trust the nodes' host keys and nothing else."""
    return [
        *("-o", f"UserKnownHostsFile={places.ssh / 'known_hosts'}"),
        *("-o", "GlobalKnownHostsFile=/dev/null"),
        *("-o", "StrictHostKeyChecking=yes"),
        *("-o", "IdentitiesOnly=yes"),
        *("-o", "LogLevel=ERROR"),
    ]


def multiplexing() -> list[str]:
    """Options of ssh that keep a connection for the next command."""
    return ["-o", "ControlMaster=auto", "-o", "ControlPersist=60s", "-o", "PreferredAuthentications=publickey"]


def inventory(nodes: Iterable[Node], places: Places) -> dict[str, Any]:
    """The inventory of these nodes: groups as users of the lab know them."""
    listed = list(nodes)
    cluster = [node.name for node in listed if node.in_cluster]
    docker_hosts = [node.name for node in listed if not node.in_cluster]

    def group(names: list[str]) -> dict[str, Any]:
        return {"hosts": {name: {} for name in names}}

    return {
        "all": {
            "hosts": {node.name: {"ansible_host": node.address} for node in listed},
            "vars": {
                "ansible_user": "root",
                "ansible_ssh_private_key_file": str(places.ssh / "id_ed25519"),
                "ansible_host_key_checking": True,
                "ansible_ssh_common_args": " ".join(ssh_options(places)),
                "ansible_ssh_args": " ".join(multiplexing()),
                "ansible_control_path_dir": str(places.ssh / "mux"),
                "ansible_pipelining": True,
                "ansible_python_interpreter": "/usr/bin/python3",
            },
            "children": {
                "cluster": group(cluster),
                "docker_hosts": group(docker_hosts),
                "longshore_nodes": {"children": {"cluster": {}, "docker_hosts": {}}},
                "longshore_registry_hosts": group(docker_hosts),
            },
        }
    }


def write_inventory(nodes: Iterable[Node], places: Places) -> None:
    write_atomically(places.inventory, yaml.safe_dump(inventory(nodes, places), sort_keys=False))


def close_connections(places: Places) -> None:
    """End the ssh processes that keep connections to the nodes."""
    for socket in sorted((places.ssh / "mux").glob("*")):
        run(["ssh", "-O", "exit", "-o", f"ControlPath={socket}", "lab"], check=False, timeout=10)


def write_atomically(path: Path, text: str, mode: int = 0o600) -> None:
    """Write a file in one rename, if it is not like that already."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.chmod(mode)
    os.replace(partial, path)


def _key_pair(path: Path) -> None:
    if path.exists():
        return
    key = ed25519.Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    write_atomically(path.with_name(f"{path.name}.pub"), f"{public.decode()} longshore-lab\n")
    write_atomically(path, private.decode())


def _public(path: Path) -> str:
    return " ".join(path.with_name(f"{path.name}.pub").read_text(encoding="ascii").split()[:2])
