# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Named contexts: what stands for them among the inputs, and which names they can have."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.build.builder import BuildRequest
from ansible_collections.longshore.delivery.plugins.module_utils.build.context import BuildContext
from ansible_collections.longshore.delivery.plugins.module_utils.build.dockerignore import IgnoreRules
from ansible_collections.longshore.delivery.plugins.module_utils.build.named_contexts import (
    InvalidContext,
    NamedContext,
    check_stages,
)
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.dockerfile import parse
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.stages import base_images, stages_of


def test_a_directory_is_what_its_own_rules_leave_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "root"
    root.mkdir()
    (root / ".dockerignore").write_text("b\n")
    (root / "a").touch()
    (root / "b").touch()
    named = NamedContext.parse("n", str(root))
    assert named.option == f"n={root}"
    assert sorted(named.entries()) == ["n", "n/.dockerignore", "n/a"]
    with pytest.raises(InvalidContext, match=r"contexts\.n is .*/root/a, which is no directory"):
        NamedContext.parse("n", str(root / "a")).entries()


def test_nothing_is_written_into_its_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    named = NamedContext.parse("n", str(tmp_path))
    context = BuildContext("/no/such/source", IgnoreRules(), {})
    with BuildRequest(context, "/D", parse("FROM scratch"), contexts=(named,)).temporary_directory() as directory:
        assert tmp_path not in Path(directory).parents


def test_an_image_is_a_base_image_and_a_directory_is_none() -> None:
    image = NamedContext.parse("i", "docker-image://r.example/x:1")
    assert (image.option, image.entries()) == ("i=docker-image://r.example/x:1", {"i": "image r.example/x:1"})
    text = "FROM i\nCOPY --from=d a b\nCOPY --from=r.example/y:2 a b\nRUN --mount=type=bind,from=d a"
    stages = stages_of(parse(text), {})
    found = base_images(stages, stages, "D", {"i": image.image, "d": None})
    assert [str(base.reference) for base in found] == ["r.example/x:1", "r.example/y:2"]


def test_a_name_of_a_stage_is_refused() -> None:
    stages = stages_of(parse("FROM scratch AS One\nFROM scratch"), {})
    check_stages([NamedContext.parse("two", "/x")], stages, "D")
    with pytest.raises(InvalidContext, match=r"contexts\.one has the name of a stage \(D, line 1\)"):
        check_stages([NamedContext.parse("one", "/x")], stages, "D")
