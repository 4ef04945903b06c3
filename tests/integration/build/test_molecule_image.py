# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The molecule scenario of the role image, as users' CI runs it, on the controller's engine."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from tests.demo.settings import COLLECTIONS
from tests.integration.docker_clients import client_of
from tests.integration.trial.images import PLACES, Images

pytestmark = [pytest.mark.lab, pytest.mark.wide]
ENGINE = "unix:///var/run/docker.sock"


def test_the_scenario_on_the_controllers_engine(tmp_path: Path) -> None:
    engine = client_of(ENGINE, None)
    images = Images(engine, f"longshore.test/{uuid.uuid4().hex[:12]}")
    programs = Path(sys.executable).parent
    try:
        environment = {
            **os.environ,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "NO_COLOR": "1",
            "ANSIBLE_HOME": str(tmp_path),
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "DOCKER_CONFIG": str(PLACES.docker_config),
            "DOCKER_HOST": ENGINE,
            "MOLECULE_BASE": images.make("good"),
            "XDG_STATE_HOME": str(tmp_path / "state"),
        }
        done = subprocess.run(
            [programs / "molecule", "test", "--scenario-name", "image"],
            cwd=COLLECTIONS / "ansible_collections" / "longshore" / "delivery",
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        images.remove()
        engine.close()
    output = done.stdout + done.stderr
    assert done.returncode == 0, output[-8000:]
    for step in ("converge", "idempotence", "verify", "cleanup"):
        assert f"{step}: Executed: Successful" in output
