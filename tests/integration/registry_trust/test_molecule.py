# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The molecule scenario, as users' CI runs it: create, converge, idempotence, verify, destroy."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.node_images import node_image

from .lab import CHECKOUT

pytestmark = pytest.mark.lab
COLLECTIONS = CHECKOUT / ".cache" / "collections"


def test_the_scenario_on_a_throw_away_container(tmp_path: Path) -> None:
    programs = Path(sys.executable).parent
    environment = {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "NO_COLOR": "1",
        "ANSIBLE_HOME": str(tmp_path),
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        # any Debian does; a node image of the lab needs no other registry and has the engines, though no docker-registry
        "MOLECULE_IMAGE": node_image("dock").tag,
    }
    done = subprocess.run(
        [programs / "molecule", "test", "--scenario-name", "registry_trust"],
        cwd=COLLECTIONS / "ansible_collections" / "longshore" / "delivery",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output[-8000:]
    for step in ("create", "converge", "idempotence", "verify", "destroy"):
        assert f"{step}: Executed: Successful" in output
