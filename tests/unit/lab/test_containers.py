# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a node's container is made of, and that another make has another digest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.lab.containers import (
    CAPABILITIES,
    WANTED_LABEL,
    Container,
    Host,
    flags,
)
from tests.lab.errors import LabError
from tests.lab.machines import state
from tests.lab.node_files import NodeFile
from tests.lab.nodes import CP, DOCK, N1, N2, Node

LEGACY = Host(modules=True, controllers=("memory", "systemd"))
UNIFIED = Host(modules=False, controllers=())
PROGRAMS = {name: Path(f"/cache/{name}/1") for name in ("kubernetes", "crictl", "containerd", "crio")}
ARCHIVES = Path("/cache/archives")


def pairs(values: tuple[str, ...]) -> set[tuple[str, str]]:
    return set(zip(values, values[1:]))


def container(**changes: Any) -> Container:
    made = Container(DOCK, "image:1", ("--flag",), (NodeFile("etc/a", "text"),))
    return replace(made, **changes)


@pytest.mark.parametrize("node", [CP, N1, N2, DOCK], ids=lambda node: node.name)
def test_a_node_has_its_name_and_address_and_never_more_rights_than_a_confined_host_can_give(node: Node) -> None:
    made = flags(node, LEGACY, PROGRAMS, ARCHIVES)
    assert {("--ip", node.address), ("--name", f"longshore-{node.name}"), ("--hostname", node.name)} <= pairs(made)
    assert ("--label", "longshore.lab=1") in pairs(made)
    assert "--privileged" not in made
    assert not {"SYS_RESOURCE", "BPF", "PERFMON", "CHECKPOINT_RESTORE"} & set(CAPABILITIES)


def test_programs_are_mounted_where_they_run() -> None:
    assert "--volume=/cache/containerd/1:/opt/longshore-lab/containerd:ro" in flags(N1, LEGACY, PROGRAMS, ARCHIVES)
    assert "--volume=/cache/crio/1:/opt/longshore-lab/crio:ro" in flags(N2, LEGACY, PROGRAMS, ARCHIVES)
    assert not any("/cache/" in flag for flag in flags(DOCK, LEGACY, {}, ARCHIVES))


def test_a_legacy_host_keeps_its_own_mount_points_of_control_groups() -> None:
    made = flags(CP, LEGACY, PROGRAMS, ARCHIVES)
    assert ("--tmpfs", "/sys/fs/cgroup:ro,mode=755") in pairs(made)
    assert "--volume=/sys/fs/cgroup/memory:/sys/fs/cgroup/memory:rw" in made
    assert "--volume=/sys/fs/cgroup:/sys/fs/cgroup:rw" not in made


def test_a_unified_host_gives_its_one_tree() -> None:
    made = flags(CP, UNIFIED, PROGRAMS, ARCHIVES)
    assert "--volume=/sys/fs/cgroup:/sys/fs/cgroup:rw" in made
    assert not any("/sys/fs/cgroup:ro" in flag for flag in made)
    assert not any("/lib/modules" in flag for flag in made)


@pytest.mark.parametrize(
    "change",
    [
        {"image": "image:2"},
        {"flags": ("--flag", "--other")},
        {"files": (NodeFile("etc/a", "other"),)},
        {"files": (NodeFile("etc/a", "text", 0o600),)},
        {"files": (NodeFile("etc/a", link="text"),)},
        {"files": ()},
    ],
    ids=str,
)
def test_another_make_has_another_digest(change: dict[str, Any]) -> None:
    assert container(**change).wanted != container().wanted
    assert container().wanted == container().wanted


def found(status: str, wanted: str, label: str = "longshore.lab") -> dict[str, Any]:
    return {"Config": {"Labels": {label: "1", WANTED_LABEL: wanted}}, "State": {"Status": status}}


def test_what_is_done_about_a_container() -> None:
    wanted = container().wanted
    assert state(container(), None) == "make"
    assert state(container(), found("running", wanted)) == ""
    assert state(container(), found("exited", wanted)) == "start"
    assert state(container(), found("running", "another")) == "remake"
    # interrupted before its first start: its files may be missing
    assert state(container(), found("created", wanted)) == "remake"


def test_a_container_that_is_not_the_labs_is_left_alone() -> None:
    with pytest.raises(LabError, match="longshore-dock"):
        state(container(), found("running", "", label="other"))
