# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory and the keys with which Ansible reaches the nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.lab.access import inventory, make_keys
from tests.lab.nodes import CP, DOCK, N1, N2, NODES
from tests.lab.places import Places

if TYPE_CHECKING:
    from pathlib import Path


def test_the_groups_are_those_that_the_playbooks_want(tmp_path: Path) -> None:
    everything = inventory((CP, N1, DOCK, N2), Places(tmp_path))["all"]
    groups = everything["children"]
    assert set(groups["cluster"]["hosts"]) == {"cp", "n1", "n2"}
    assert set(groups["docker_hosts"]["hosts"]) == set(groups["longshore_registry_hosts"]["hosts"]) == {"dock"}
    assert set(groups["longshore_nodes"]["children"]) == {"cluster", "docker_hosts"}
    assert everything["hosts"]["n2"] == {"ansible_host": N2.address}
    assert set(inventory((CP, DOCK), Places(tmp_path))["all"]["children"]["cluster"]["hosts"]) == {"cp"}


def test_host_keys_are_checked_against_the_labs_own_file(tmp_path: Path) -> None:
    variables = inventory((DOCK,), Places(tmp_path))["all"]["vars"]
    assert variables["ansible_host_key_checking"] is True
    assert f"UserKnownHostsFile={tmp_path}/lab/ssh/known_hosts" in variables["ansible_ssh_common_args"]
    assert "StrictHostKeyChecking=yes" in variables["ansible_ssh_common_args"]
    assert "ControlPersist" in variables["ansible_ssh_args"]


def test_keys_are_made_once_and_for_their_owner_alone(tmp_path: Path) -> None:
    places = Places(tmp_path)
    make_keys(places)
    before = {path.name: path.read_bytes() for path in places.ssh.iterdir()}
    make_keys(places)
    assert {path.name: path.read_bytes() for path in places.ssh.iterdir()} == before
    assert (places.ssh / "id_ed25519").stat().st_mode & 0o777 == 0o600
    known = before["known_hosts"].decode().splitlines()
    assert [line.split()[0] for line in known] == [node.address for node in NODES.values()]
    for line, node in zip(known, NODES.values()):
        assert line.split()[1:] == before[f"host_{node.name}.pub"].decode().split()[:2]
