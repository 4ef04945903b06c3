# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""JMESPath conditions, and that nobody needs the package who has none."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils import expression
from ansible_collections.longshore.delivery.plugins.module_utils.query import Query, QueryError

IMAGE: dict[str, t.Any] = {
    "id": "sha256:1",
    "platform": "linux/arm64",
    "size": 2000,
    "config": {},
    "labels": {"team": "shop"},
    "created": None,
}


@pytest.fixture
def package() -> None:
    pytest.importorskip(
        "jmespath", reason="jmespath is missing: tests/requirements.txt has it, 'make venv' installs it"
    )


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("size > `1000`", True),
        ("size > `3000`", False),
        ("platform == 'linux/arm64' && labels.team == 'shop'", True),
        ("!(config.User) || config.User == 'root'", True),
        ("created", False),
        ("labels", True),
        ("config", False),
        ("labels.none", False),
        ("`0`", True),  # by JMESPath a number is never false
        ("`[]`", False),
        ("''", False),
        ("contains(platform, 'arm')", True),
    ],
)
def test_a_condition(text: str, holds: bool) -> None:
    assert Query(text).selected([IMAGE], lambda said: None) == ([IMAGE] if holds else [])


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    ("text", "images", "warns"),
    [
        ("images[?size > `1000`]", [IMAGE, IMAGE], True),
        ("layers[?size > `1000`]", [IMAGE], True),
        ("sise", [IMAGE], True),
        ("size > `3000`", [IMAGE, IMAGE], False),
        ("created", [IMAGE, {**IMAGE, "created": "2026-11-22"}], False),
        ("sise", [], False),
    ],
)
def test_what_is_nothing_for_each_image_is_said(text: str, images: list[dict[str, t.Any]], warns: bool) -> None:
    said: list[str] = []
    Query(text).selected(images, said.append)
    assert len(said) == warns
    assert all(f"query: {text!r} is nothing for each of the {len(images)} images" in line for line in said)


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize("text", ["size >", "[", "a b"])
def test_what_is_no_expression_is_said(text: str) -> None:
    with pytest.raises(QueryError, match=r"\Aquery: .* is no JMESPath expression") as raised:
        Query(text)
    assert "\n" not in str(raised.value)


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize("text", ["contains(created, 'a')", "no_such_function(size)"])
def test_what_cannot_be_evaluated_names_the_image(text: str) -> None:
    with pytest.raises(QueryError, match="fails for the image sha256:1"):
        Query(text).selected([IMAGE], lambda said: None)


def test_without_the_package_the_way_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expression, "IMPORT_PROBLEM", "No module named 'jmespath'")
    with pytest.raises(QueryError, match="needs the Python package jmespath where the task runs"):
        Query("size")
