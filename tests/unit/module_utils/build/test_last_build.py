# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a controller notes of an image's builds: of the one that has the names, and of one that waits for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.build.inputs import Inputs
from ansible_collections.longshore.delivery.plugins.module_utils.build.last_build import LastBuild
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.image import Image

OLD, NEW = Inputs({"context": {"a": "1"}}), Inputs({"context": {"a": "2"}})


@pytest.fixture
def noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LastBuild:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    notes = LastBuild("engine", "x:1")
    notes.note(OLD, Image("sha256:old", {}))
    return notes


def test_one_that_waits_for_its_names_is_noted_beside_the_one_that_has_them(noted: LastBuild) -> None:
    assert noted.unnamed() == ""
    noted.note_unnamed(NEW, Image("sha256:new", {}))
    assert noted.unnamed() == "sha256:new"
    assert noted.inputs() == OLD


def test_it_takes_that_one_s_place_when_it_gets_them(noted: LastBuild) -> None:
    noted.note_unnamed(NEW, Image("sha256:new", {}))
    noted.named("sha256:another")
    assert (noted.unnamed(), noted.inputs()) == ("sha256:new", OLD)
    noted.named("sha256:new")
    assert (noted.unnamed(), noted.inputs()) == ("", NEW)
    noted.named("")  # as where none waits
    assert noted.inputs() == NEW
