# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A base without a digest is found, wherever an image's base is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.audit.base_rules import (
    BASE_DIGEST,
    BASE_NAME,
    base_findings,
    bases_of_dockerfile,
)
from ansible_collections.longshore.delivery.plugins.module_utils.build.inputs import Inputs
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError

from .test_image_audit import Front, write

DIGEST = "sha256:" + 64 * "a"
TAGGED = "docker.io/library/debian:13"


def said(labels: dict[str, str], written: dict[str, int] | None = None) -> list[str]:
    found = list(base_findings(labels, written or {}))
    assert {each.rule for each in found} <= {"unpinned_base"}
    return [each.what for each in found]


def recorded(*names: str) -> dict[str, str]:
    """The labels of an image that the collection built from these."""
    return Inputs({"bases": dict.fromkeys(names, DIGEST)}).labels()


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("debian", "its base docker.io/library/debian:latest is whatever is latest"),
        ("debian:latest", "its base docker.io/library/debian:latest is whatever is latest"),
        ("debian:13", f"its base {TAGGED} is named without a digest"),
        ("registry.example:5000/base", "its base registry.example:5000/base:latest is whatever is latest"),
        ("no reference", "its base no reference is named without a digest"),
    ],
)
def test_a_label_that_names_a_base(name: str, what: str) -> None:
    assert said({BASE_NAME: name}) == [what]


@pytest.mark.parametrize(
    "labels", [{}, {BASE_NAME: "debian:13@" + DIGEST}, {BASE_NAME: "debian:13", BASE_DIGEST: DIGEST}]
)
def test_a_label_that_pins_it_or_none(labels: dict[str, str]) -> None:
    assert said(labels) == []


def test_what_an_image_that_the_collection_built_is_of() -> None:
    labels = recorded(TAGGED, f"registry.example:5000/base:1@{DIGEST}", "docker.io/docker/dockerfile:1")
    assert said(labels) == [f"its base {TAGGED} is named without a digest"]
    assert said(recorded()) == []


def test_a_base_is_said_once_with_its_line_where_that_is_known() -> None:
    labels = {BASE_NAME: "debian:13", **recorded(TAGGED, "docker.io/library/node:22")}
    assert said(labels, {TAGGED: 3, "docker.io/library/golang:1": 1}) == [
        f"the Dockerfile's line 3: its base {TAGGED} is named without a digest",
        "the Dockerfile's line 1: its base docker.io/library/golang:1 is named without a digest",
        "its base docker.io/library/node:22 is named without a digest",
    ]


@pytest.mark.parametrize(
    ("text", "bases"),
    [
        ("FROM debian", {"docker.io/library/debian:latest": 1}),
        (f"FROM debian:13@{DIGEST}", {f"docker.io/library/debian:13@{DIGEST}": 1}),
        (
            "ARG V=13\nFROM debian:$V AS a\nFROM a\nCOPY --from=node:22 /a /",
            {TAGGED: 2, "docker.io/library/node:22": 4},
        ),
        ("ARG BASE\nFROM $BASE", {}),
        ("FROM scratch", {}),
        ("FRM debian", {}),
    ],
)
def test_the_bases_of_a_dockerfile(tmp_path: Path, text: str, bases: dict[str, int]) -> None:
    path = tmp_path / "Dockerfile"
    path.write_text(text + "\n")
    assert bases_of_dockerfile(str(path)) == bases


def test_a_dockerfile_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_bytes(b"FROM debian\xff\n")
    with pytest.raises(DeliveryError, match=f"The Dockerfile {path} cannot be read: .* Correct 'dockerfile'"):
        bases_of_dockerfile(str(path))


@pytest.mark.usefixtures("detectors")
def test_the_dockerfile_is_looked_at_without_a_linter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *name, **where: None)
    (tmp_path / "Dockerfile").write_text("FROM debian:13\n")
    given = {"archive": write(tmp_path / "web.tar", {"app": b"1"}), "dockerfile": str(tmp_path / "Dockerfile")}
    (image,) = Front().run(**given)["images"]
    assert [(found["rule"], found["severity"]) for found in image["findings"]] == [("unpinned_base", "medium")]
