# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A context of 100,000 files: a look at it takes as long for each of them as at a small one, and misses none."""

from __future__ import annotations

import dataclasses
import os
import time
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.build import content_hashes
from ansible_collections.longshore.delivery.plugins.module_utils.build.definition import read_definition
from ansible_collections.longshore.delivery.plugins.module_utils.build.inputs import Inputs, differences
from ansible_collections.longshore.delivery.plugins.module_utils.build.last_build import LastBuild
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.image import Image

pytestmark = pytest.mark.wide

FEW, MANY, IN_ONE = 1_000, 100_000, 1_000
EMPTY = "file 0644 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
RULES = "# as of many\n.git\n**/*.log\n**/__pycache__\n*.md\n!README.md\npart7/2*\n"


@dataclasses.dataclass
class Looked:
    inputs: Inputs
    is_as_noted: bool
    seconds: float


def made(root: Path, count: int) -> Path:
    """A directory of so many empty files, and a Dockerfile."""
    root.mkdir()
    (root / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    (root / ".dockerignore").write_text(RULES)
    for part in range(count // IN_ONE):
        directory = f"{root}/part{part}"
        os.mkdir(directory)
        os.mknod(f"{directory}/0", 0o100644)
        for number in range(1, IN_ONE):  # links take a twentieth of the time
            os.link(f"{directory}/0", f"{directory}/{number}")
    return root


def look(root: Path) -> Looked:
    """What is decided by before an engine is asked, in seconds of this process."""
    began = time.process_time()
    inputs = Inputs({"context": read_definition(str(root), "Dockerfile").context.entries})
    last = LastBuild("engine", str(root)).inputs()
    is_as_noted = last is not None and last.digest == inputs.digest
    return Looked(inputs, is_as_noted, time.process_time() - began)


@pytest.fixture
def trees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "kept"))
    monkeypatch.setattr(content_hashes, "SETTLED", 0)
    return made(tmp_path / "few", FEW), made(tmp_path / "many", MANY)


def test_a_look_at_many_files_misses_none_and_takes_as_long_for_each(trees: tuple[Path, Path]) -> None:
    for root in trees:
        LastBuild("engine", str(root)).note(look(root).inputs, Image("sha256:x", {}))
    few = min((look(trees[0]) for _time in range(9)), key=lambda looked: looked.seconds)
    many = look(trees[1])
    assert few.is_as_noted
    assert many.is_as_noted
    entries = many.inputs.kinds["context"]
    left_out = [f"part7/{number}" for number in range(IN_ONE) if str(number).startswith("2")]
    assert len(entries) == 2 + MANY // IN_ONE + MANY - len(left_out)
    assert entries["part99/999"] == EMPTY
    assert not entries.keys() & set(left_out)
    for path in ("part50/500", "part51/new.log", "part7/251"):
        (trees[1] / path).unlink(missing_ok=True)  # it is a link
        (trees[1] / path).write_text("x")
    changed = look(trees[1])
    assert not changed.is_as_noted
    assert [str(found) for found in differences(many.inputs, changed.inputs)] == ["part50/500 changed"]
    assert min(many.seconds, changed.seconds) / MANY < 4 * few.seconds / FEW
