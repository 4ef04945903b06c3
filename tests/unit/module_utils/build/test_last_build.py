# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a controller notes of an image's builds: of the one that has the names, and of one that waits for them."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.build import last_build
from ansible_collections.longshore.delivery.plugins.module_utils.build.inputs import Inputs
from ansible_collections.longshore.delivery.plugins.module_utils.build.last_build import LastBuild
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.image import Image

from .test_options_to_commands import BASE, started

ALIKE = ("x", "target")
OLD, NEW = Inputs({"context": {"a": "1"}}), Inputs({"context": {"a": "2"}})


@pytest.fixture
def noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LastBuild:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    notes = LastBuild("engine", "x:1", ALIKE)
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


def test_a_new_tag_has_the_note_of_the_last_build_that_is_alike(noted: LastBuild) -> None:
    new = LastBuild("engine", "x:2", ALIKE)
    assert (new.name, new.inputs(), new.image()) == ("x:1", OLD, noted.image())
    for other in (LastBuild("engine", "x:2", ("x", "another")), LastBuild("another", "x:2", ALIKE)):
        assert (other.name, other.inputs(), other.image()) == ("", None, None)
    new.note(NEW, Image("sha256:new", {}))
    assert (new.name, new.inputs()) == ("x:2", NEW)
    assert (noted.name, noted.inputs()) == ("x:1", OLD)
    assert LastBuild("engine", "x:3", ALIKE).name == "x:2"


def test_an_image_that_got_its_names_later_is_the_last_then(noted: LastBuild) -> None:
    new = LastBuild("engine", "x:2", ALIKE)
    new.note_unnamed(NEW, Image("sha256:new", {}))
    assert LastBuild("engine", "x:3", ALIKE).name == noted.name
    new.named("sha256:new")
    assert LastBuild("engine", "x:3", ALIKE).name == "x:2"


def test_a_new_tag_says_what_changed_since_the_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "kept"))
    source = tmp_path / "source"
    source.mkdir()
    (source / "Dockerfile").write_text(f"FROM {BASE}\nCOPY app /\n")
    (source / "app").touch()
    with started(source) as engine:
        engine.run(name="r.example/x", tags=["1"])
        (source / "app").write_text("new")
        for check in (True, False):
            found = engine.run(name="r.example/x", tags=["2"], check=check, diff=True)
            assert found["why"] == [
                "there is no image r.example/x:2 in the engine",
                "since the last build, of r.example/x:1, the context changed: app changed",
            ]
            assert [line.split(": ")[0] for line in found["diff"]["before"].splitlines()] == ["context app"]
            assert [line.split(": ")[0] for line in found["diff"]["after"].splitlines()] == [
                "context app",
                "r.example/x:2",
            ]
        (source / "app").write_text("newest")
        assert engine.run(name="r.example/x", tags=["3"])["why"][1].startswith(
            "since the last build, of r.example/x:2, "
        )
        for other in ({"target": "t"}, {"name": "r.example/y"}, {"platforms": ["linux/amd64"]}):
            inline = f"FROM {BASE} AS t\n"
            given: dict[str, t.Any] = {"name": "r.example/x", "tags": ["4"], "dockerfile_inline": inline, **other}
            assert len(engine.run(check=True, **given)["why"]) == 1


def test_what_was_made_of_which_inputs_is_known_whatever_the_tag(
    noted: LastBuild, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = LastBuild("engine", "x:2", ALIKE)
    new.note_unnamed(NEW, Image("sha256:new", {}))
    assert new.made_of(NEW.digest) == ""
    new.named("sha256:new")
    made = [LastBuild("engine", "x:3", ALIKE).made_of(inputs.digest) for inputs in (OLD, NEW)]
    assert made == ["sha256:old", "sha256:new"]
    noted.note(OLD, Image("sha256:anew", {}))
    assert (new.made_of(OLD.digest), LastBuild("engine", "x:1", ("y",)).made_of(OLD.digest)) == ("sha256:anew", "")
    monkeypatch.setattr(last_build, "_KEPT", 2)
    noted.note(Inputs({"args": {"a": "1"}}), Image("sha256:last", {}))
    assert (new.made_of(NEW.digest), new.made_of(OLD.digest)) == ("", "sha256:anew")
