# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `ansible-galaxy collection build` puts into the archive."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
from pathlib import Path

import yaml

from .ansible_test import CHECKOUT, packed_names
from .imports import modules, parsed

LIMIT_BYTES = 2_000_000
# what galaxy writes itself
OF_THE_ARCHIVE = {"MANIFEST.json", "FILES.json"}
# packages that come with others, by which they are spoken of
BROUGHT = {"requests": "docker", "urllib3": "kubernetes"}


def test_the_archive_holds_the_collection_and_nothing_that_tools_left(tmp_path: Path) -> None:
    galaxy = Path(sys.executable).with_name("ansible-galaxy")
    command = [str(galaxy), "collection", "build", "--output-path", str(tmp_path), str(CHECKOUT)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    [archive] = tmp_path.glob("longshore-delivery-*.tar.gz")
    assert archive.stat().st_size < LIMIT_BYTES
    with tarfile.open(archive) as contents:
        found = {member.name for member in contents if member.isfile()} - OF_THE_ARCHIVE
    assert not [name for name in found if name.startswith("tests/")]
    assert found - packed_names() == set(), "packed, though it is not of the collection"
    # the collection's own description becomes the archive's MANIFEST.json; git's files are galaxy's own to leave out
    assert packed_names() - found <= {"galaxy.yml", ".gitignore"}


def test_the_execution_environment_has_what_the_capabilities_need() -> None:
    description = yaml.safe_load((CHECKOUT / "meta" / "execution-environment.yml").read_text())["dependencies"]
    requirements = (CHECKOUT / description["python"]).read_text()
    lines = [line for line in requirements.splitlines() if line and not line.startswith("#")]
    listed = {re.split(r"[<>=! ]", line)[0].replace("-", "_") for line in lines}
    sources = [parsed(path) for path in (CHECKOUT / "plugins" / "module_utils").rglob("*.py")]
    imported = {name.partition(".")[0] for source in sources for name in modules(source)}
    needed = imported - sys.stdlib_module_names - {"ansible", "ansible_collections"} - set(BROUGHT)
    assert needed >= {"docker", "kubernetes"}
    assert listed == needed
    assert listed >= set(BROUGHT.values())
    # the buildx plugin is the one program that the capabilities start and no Python package brings
    assert "docker-buildx" in (CHECKOUT / description["system"]).read_text()
