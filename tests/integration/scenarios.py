# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A molecule scenario, run as the collection's users run theirs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.demo.settings import COLLECTIONS


def scenario(name: str, home: Path, *steps: str, **environment: str) -> None:
    """Run all of a scenario, of which these steps are to succeed by name.

    :param home: a directory for what Ansible and molecule keep.
    """
    programs = Path(sys.executable).parent
    done = subprocess.run(
        [programs / "molecule", "test", "--scenario-name", name],
        cwd=COLLECTIONS / "ansible_collections" / "longshore" / "delivery",
        env={
            **os.environ,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "NO_COLOR": "1",
            "ANSIBLE_HOME": str(home),
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "XDG_STATE_HOME": str(home / "state"),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output[-8000:]
    for step in steps:
        assert f"{step}: Executed: Successful" in output
