# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who holds an image, as each host's own engines say it, and the table that shows it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.demo.cluster import Pod
from tests.demo.errors import DemoError
from tests.demo.holding import Holding
from tests.demo.settings import Settings
from tests.demo.table import rows, show

WEB, OLD, SHIPPER = (
    f"registry:5000/shop/{name}@sha256:{digit * 64}" for name, digit in zip(("web", "web", "ship"), "abc")
)
HOSTS = """
longshore_nodes:
  vars: {ansible_connection: local, ansible_become: false, ansible_python_interpreter: python3}
  hosts:
    worker:
    builder: {ansible_connection: ssh, ansible_host: 127.0.0.1, ansible_port: 9}
another: {hosts: {elsewhere: }}
"""


def client(directory: Path, name: str, script: str) -> None:
    program = directory / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A host whose Docker tells what it holds and whose Podman does not answer, and one that cannot be reached."""
    programs = tmp_path / "bin"
    programs.mkdir()
    client(programs, "docker", f"echo {WEB}; echo 'registry:5000/shop/web@<none>'")
    client(programs, "podman", "echo 'cannot open its storage' >&2; exit 125")
    inventory = tmp_path / "hosts.yml"
    inventory.write_text(HOSTS)
    path = f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    return Settings((inventory,), tmp_path / "kubeconfig", None, tmp_path, {**os.environ, "PATH": path})


def test_each_host_is_asked_and_one_that_does_not_tell_is_named(settings: Settings) -> None:
    holding = Holding.of_nodes(settings)
    assert holding.held == {"worker": frozenset({WEB})}
    assert holding.untold["worker"] == "podman: cannot open its storage"
    assert "port 9" in holding.untold["builder"]
    assert set(holding.untold) == {"worker", "builder"}


def test_without_hosts_nothing_is_asked(settings: Settings) -> None:
    settings.inventories[0].write_text("another: {hosts: {elsewhere: }}")
    with pytest.raises(DemoError, match="Ansible did not run ansible longshore_nodes"):
        Holding.of_nodes(settings)


def test_the_table_has_a_row_for_each_image_that_pods_run(capsys: pytest.CaptureFixture[str]) -> None:
    holding = Holding({"n2": frozenset({WEB, OLD}), "n1": frozenset({WEB}), "dock": frozenset({SHIPPER})}, {})
    pods = [
        Pod("a", "n1", True, {"web": WEB, "shipper": SHIPPER}),
        Pod("b", "n2", False, {"web": WEB}),
        Pod("c", "n2", True, {"web": OLD}),
    ]
    table = rows(pods, holding, "10.0.0.1:80")
    shown = {(row["container"], row["digest"]): (row["held by"], row["pods ready"]) for row in table}
    assert shown == {
        ("web", "sha256:" + "a" * 12): ("n1 n2", "1/2"),
        ("web", "sha256:" + "b" * 12): ("n2", "1/1"),
        ("shipper", "sha256:" + "c" * 12): ("dock", "1/1"),
    }
    show(table)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["container", "image", "digest", "held", "by", "pods", "ready", "address"]
    assert len(lines) == 1 + len(table)
