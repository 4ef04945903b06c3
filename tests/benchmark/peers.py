# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collections that users have today, from the package on PyPI that has them all."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PINNED = Path(__file__).with_name("peers.txt")
NAMES = ("community/docker", "community/library_inventory_filtering_v1")


def collections(cache: Path) -> Path:
    """A path for ANSIBLE_COLLECTIONS_PATH with them, of the version that is pinned; downloaded once."""
    pinned = PINNED.read_text()
    directory = cache / "peers"
    complete = directory / "complete"
    if not complete.exists() or complete.read_text() != pinned:
        with tempfile.TemporaryDirectory() as downloads:
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
            subprocess.run([*pip, "--require-hashes", "-r", PINNED, "--dest", downloads], check=True)
            [wheel] = Path(downloads).iterdir()
            with zipfile.ZipFile(wheel) as package:
                wanted = tuple(f"ansible_collections/{name}/" for name in NAMES)
                package.extractall(directory, [name for name in package.namelist() if name.startswith(wanted)])
        complete.write_text(pinned)
    return directory
