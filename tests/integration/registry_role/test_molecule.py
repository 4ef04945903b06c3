# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The molecule scenario, as users' CI runs it on a host of theirs: converge, idempotence, verify, and it is gone again."""

from __future__ import annotations

import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from tests.lab.access import inventory

from .host import HOST, PLACES
from .lab import CHECKOUT, SITE, changed, on_host, play

pytestmark = pytest.mark.lab
COLLECTIONS = CHECKOUT / ".cache" / "collections"


@pytest.fixture
def registry(ca: str) -> t.Iterator[str]:
    """It is there before, and after."""
    yield ca
    play()
    assert on_host("cat", "/etc/longshore/registry/ca.crt") == ca
    assert changed(play()) == 0


def test_the_scenario_on_a_host(registry: str, tmp_path: Path) -> None:
    programs = Path(sys.executable).parent
    access = inventory([HOST], PLACES)["all"]["vars"]
    environment = {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "NO_COLOR": "1",
        "ANSIBLE_HOME": str(tmp_path),
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "MOLECULE_HOST": HOST.address,
        "MOLECULE_SSH_KEY": access["ansible_ssh_private_key_file"],
        "MOLECULE_SSH_ARGS": access["ansible_ssh_common_args"],
    }
    done = subprocess.run(
        [programs / "molecule", "test", "--scenario-name", "registry"],
        cwd=COLLECTIONS / "ansible_collections" / "longshore" / "delivery",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output[-8000:]
    for step in ("converge", "idempotence", "verify", "cleanup"):
        assert f"{step}: Executed: Successful" in output
    assert on_host("find", "/etc/nginx", "-path", SITE) == ""
