# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which names an image is to get, from which images, and which may not move."""

from __future__ import annotations

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.image.names import Glob
from ansible_collections.longshore.delivery.plugins.module_utils.image.tag_plan import (
    TagError,
    image_id_of,
    plan_tags,
    wanted_names,
)
from ansible_collections.longshore.delivery.plugins.module_utils.node.held_images import HeldImage

NEW, OLD = "sha256:" + "1" * 64, "sha256:" + "1" * 20 + "2" * 44
DIGEST = "sha256:" + "a" * 64
HELD = [
    HeldImage.of(NEW, ["shop/web:candidate", f"shop/web@{DIGEST}"]),
    HeldImage.of(OLD, ["shop/web:1", "shop/web:1.4"]),
]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("shop/web:candidate", NEW),
        ("shop/web:1", OLD),
        ("docker.io/shop/web:1", OLD),
        (f"shop/web@{DIGEST}", NEW),
        (f"shop/web:candidate@{DIGEST}", NEW),
        (f"shop/web:1@{DIGEST}", None),
        ("shop/web:none", None),
        (NEW, NEW),
        (NEW.partition(":")[2], NEW),
        ("1" * 30, NEW),
        ("sha256:" + "1" * 20 + "2", OLD),
        ("3" * 12, None),
    ],
)
def test_the_image_that_is_meant(text: str, found: str | None) -> None:
    assert image_id_of(text, HELD) == found


def test_podmans_ids_get_their_algorithm() -> None:
    [image] = [HeldImage.of("f" * 64, ["shop/web:1"])]
    whole = "sha256:" + "f" * 64
    assert image_id_of(whole, [image]) == image_id_of("f" * 64, [image]) == image_id_of("f" * 12, [image]) == whole


@pytest.mark.parametrize(
    ("text", "said"),
    [("1" * 12, "may be any of sha256:1"), ("shop/web", "neither tag nor digest"), ("shop//web:1", "shop//web")],
)
def test_an_image_that_is_not_clear_is_said(text: str, said: str) -> None:
    with pytest.raises(DeliveryError, match=said):
        image_id_of(text, HELD)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["shop/web"], "has no tag"),
        ([f"shop/web:1@{DIGEST}"], "has a digest"),
        ([], "no name to give"),
        (["shop//web:1"], "shop//web"),
    ],
)
def test_a_name_that_cannot_be_given_is_said(names: list[str], said: str) -> None:
    with pytest.raises(DeliveryError, match=said):
        wanted_names(names)


def test_steps() -> None:
    wanted = wanted_names(["shop/web:candidate", "shop/web:1", "shop/web:2", "docker.io/shop/web:2"])
    there, moved, new = plan_tags(NEW, wanted, HELD)
    assert [(step.before, step.changes, step.moves) for step in (there, moved, new)] == [
        (NEW, False, False),
        (OLD, True, True),
        (None, True, False),
    ]
    # an image that is yet to come has none of them
    steps = plan_tags(None, wanted, HELD)
    assert [(step.changes, step.moves) for step in steps] == [(True, True), (True, True), (True, False)]


@pytest.mark.parametrize(
    ("names", "refused"),
    [
        (["shop/web:1", "shop/web:1.4"], ["docker.io/shop/web:1.4"]),
        (["shop/web:2.0"], []),  # it is given once
        (["shop/web:1"], []),
    ],
)
def test_immutable_names_do_not_move(names: list[str], refused: list[str]) -> None:
    immutable = [Glob.parse("shop/*:?.?")]
    if not refused:
        assert plan_tags(NEW, wanted_names(names), HELD, immutable)
        return
    with pytest.raises(TagError, match="By 'immutable' these names may not move") as raised:
        plan_tags(NEW, wanted_names(names), HELD, immutable)
    assert all(name in str(raised.value) for name in (*refused, OLD, NEW))
    assert "shop/web:1 " not in str(raised.value)


def test_an_immutable_name_stays_with_its_image() -> None:
    [step] = plan_tags(OLD, wanted_names(["shop/web:1.4"]), HELD, [Glob.parse("**")])
    assert not step.changes
