# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `ansible-galaxy collection build` puts into the archive."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

from .ansible_test import CHECKOUT

LIMIT_BYTES = 2_000_000


def test_the_archive_holds_the_collection_and_nothing_that_tools_left(tmp_path: Path) -> None:
    galaxy = Path(sys.executable).with_name("ansible-galaxy")
    command = [str(galaxy), "collection", "build", "--output-path", str(tmp_path), str(CHECKOUT)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    [archive] = tmp_path.glob("longshore-delivery-*.tar.gz")
    assert archive.stat().st_size < LIMIT_BYTES
    with tarfile.open(archive) as contents:
        names = set(contents.getnames())
    assert {
        "plugins/modules/image_build.py",
        "roles/registry/tasks/main.yml",
        "playbooks/site.yml",
        "README.md",
    } <= names
    assert not {name.split("/")[0] for name in names} & {".venv", ".cache", ".mypy_cache", ".git", ".ci"}
