# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which images go, which names are taken, and what stays for which reason."""

from __future__ import annotations

import datetime
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.image.contents import ImageContents, Layer
from ansible_collections.longshore.delivery.plugins.module_utils.image.names import Names
from ansible_collections.longshore.delivery.plugins.module_utils.image.prune_plan import (
    Prunable,
    PrunePlan,
    check_selection,
    gained,
    plan_prune,
)
from ansible_collections.longshore.delivery.plugins.module_utils.image.selection import Selection
from ansible_collections.longshore.delivery.plugins.module_utils.reference import DiffId, Reference

NOW = datetime.datetime(2026, 11, 22, tzinfo=datetime.timezone.utc)
DIGEST = "sha256:" + "d" * 64
OPTIONS: dict[str, t.Any] = dict.fromkeys(("references", "globs", "labels", "dangling", "older_than", "keep"))


def image(letter: str, *names: str, days: int | None = 0, **changes: t.Any) -> Prunable:
    """An image of that letter, of one layer of its own with 10 bytes."""
    created = None if days is None else (NOW - datetime.timedelta(days=days)).isoformat()
    parsed = [Reference.parse(name) for name in names]
    contents = ImageContents(
        id="sha256:" + letter * 64,
        references=tuple(name for name in parsed if name.tag),
        pinned=tuple(name for name in parsed if name.digest),
        config={"created": created, "config": {"Labels": {"letter": letter}}},
        layers=(layer(letter, 10),),
        size=10,
    )
    return Prunable(contents, **changes)


def layer(letter: str, size: int | None) -> Layer:
    return Layer(0, DiffId.parse("sha256:" + letter * 64), size=size)


def plan(images: list[Prunable], **options: t.Any) -> PrunePlan:
    names = Names.parse(options.get("references"), options.get("globs"))
    return plan_prune(images, names, Selection.of(options, NOW), options.get("keep"))


def removed(images: list[Prunable], **options: t.Any) -> list[str]:
    """By its letter what goes, the names behind it; in lower case an image that stays with other names."""
    return sorted(
        " ".join(
            [
                step.image.id[7].upper() if step.whole else step.image.id[7],
                *(f"{name.repository.rpartition('/')[2]}:{name.tag}" for name in step.names),
            ]
        )
        for step in plan(images, **options).steps
    )


IMAGES = [
    image("a", "shop/web:1", "shop/web:old", days=40),
    image("b", "shop/web:2", f"shop/web@{DIGEST}", "shop/other:2", days=20),
    image("c", "shop/web:3", days=10),
    image("d", days=50),
    image("e", f"shop/db@{DIGEST}", days=5),
    image("f", "shop/db:1", days=None),
]


@pytest.mark.parametrize(
    ("options", "gone"),
    [
        ({"references": ["shop/web:1"]}, ["a web:1"]),
        ({"references": ["shop/web:1", "shop/web:old"]}, ["A web:1 web:old"]),
        ({"references": ["shop/web:none"]}, []),
        ({"references": ["shop/web"]}, ["A web:1 web:old", "C web:3", "b web:2"]),
        ({"references": [f"shop/web@{DIGEST}"]}, ["b web:2"]),
        ({"references": [f"shop/db@{DIGEST}"]}, ["E"]),
        ({"references": ["sha256:" + "b" * 12]}, ["B web:2 other:2"]),
        ({"references": ["d" * 64]}, ["D"]),
        ({"globs": ["shop/*:2"]}, ["B web:2 other:2"]),
        ({"globs": ["**/other"]}, ["b other:2"]),
        ({"labels": ["letter=a"]}, ["A web:1 web:old"]),
        ({"dangling": True}, ["D", "E"]),
        ({"dangling": True, "older_than": "30d"}, ["D"]),
        ({"older_than": "30d"}, ["A web:1 web:old", "D"]),
        ({"older_than": "30d", "globs": ["shop/*:old"]}, ["a web:old"]),
        ({"keep": 1}, ["A web:1 web:old", "b web:2"]),  # the newest of shop/other is b
        ({"keep": 2}, ["A web:1 web:old"]),
        ({"keep": 9}, []),
        ({"keep": 1, "older_than": "30d"}, ["A web:1 web:old"]),
        ({"keep": 1, "globs": ["shop/*:old"]}, ["a web:old"]),
        ({"keep": 1, "references": ["b" * 64]}, ["b web:2"]),
    ],
)
def test_what_goes(options: dict[str, t.Any], gone: list[str]) -> None:
    assert removed(IMAGES, **options) == gone


def test_images_as_new_as_the_last_one_that_is_kept_stay() -> None:
    images = [image(letter, f"shop/web:{letter}", days=days) for letter, days in (("a", 3), ("b", 2), ("c", 2))]
    assert removed(images, keep=1) == ["A web:a"]


def test_a_name_with_a_digest_beside_another_repository_leaves_the_image() -> None:
    assert removed([image("a", "shop/web:1", f"shop/db@{DIGEST}")], references=["shop/web:1"]) == ["a web:1"]


def test_what_a_container_uses_stays_with_all_its_names() -> None:
    images = [image("a", "shop/web:1", "shop/web:2", containers=("web", "web-2")), image("b", "shop/web:3")]
    found = plan(images, globs=["shop/web"])
    assert [step.image.id for step in found.steps] == [images[1].contents.id]
    [kept] = found.kept
    assert (kept.image, kept.why) == (images[0].contents, "in use by web, web-2")
    assert plan(images, references=["shop/none:1"]).kept == ()


def test_what_an_image_that_stays_was_built_on_stays() -> None:
    base, middle = image("a", "shop/base:1"), image("b", "shop/middle:1", parent="sha256:" + "a" * 64)
    top = image("c", "shop/web:1", parent="sha256:" + "b" * 64)
    found = plan([base, middle, top], globs=["shop/*", "shop/nothing"], references=["shop/base:1"])
    assert [step.image.id[7] for step in found.steps] == ["c", "b", "a"]  # none before what stands on it
    found = plan([base, middle, top], globs=["shop/base", "shop/middle"])
    assert [(kept.image.id[7], kept.why[7]) for kept in found.kept] == [("b", "c"), ("a", "b")]
    assert found.steps == ()


def test_steps_of_a_build_go_with_the_last_image_that_stands_on_them() -> None:
    base = image("a", "shop/base:1")
    step = image("b", parent=base.contents.id, is_step=True)
    one, other = (image(letter, f"shop/web:{letter}", parent=step.contents.id) for letter in "cd")
    images = [base, step, one, other]
    assert removed(images, references=["shop/web:c"]) == ["C web:c"]
    assert removed(images, globs=["shop/web"]) == ["B", "C web:c", "D web:d"]
    assert [gone.image.id[7] for gone in plan(images, globs=["**"]).steps][2:] == ["b", "a"]
    assert removed(images, dangling=True) == []
    [kept] = plan(images, references=["shop/base:1", "shop/web:c"]).kept
    assert (kept.image, kept.why) == (base.contents, f"{other.contents.id} was built on it")
    used = image("b", parent=base.contents.id, is_step=True, containers=("x",))
    assert removed([base, used, one], references=["shop/web:c"]) == ["C web:c"]


def stacked(letters: str, *sizes: int | None, size: int | None = None) -> ImageContents:
    """An image of these layers."""
    return ImageContents(letters, layers=tuple(map(layer, letters, sizes)), size=size)


@pytest.mark.parametrize(
    ("going", "staying", "bytes_gained"),
    [
        ([], [], 0),
        ([stacked("ab", 1, 2, size=3)], [], 3),
        ([stacked("ab", 1, 2, size=3)], [stacked("ac", 1, 4, size=5)], 2),
        ([stacked("ab", 1, 2, size=3), stacked("ac", 1, 4, size=5)], [], 7),  # what they share counts once
        ([stacked("ab", 1, 2, size=3)], [stacked("ba", 2, 1, size=3)], 3),  # a layer is one upon the same others alone
        ([stacked("ab", 1, 2, size=3)], [stacked("ab", 1, 2, size=3)], 0),
        ([stacked("ab", None, None, size=3)], [], 3),
        ([stacked("ab", None, None, size=3)], [stacked("a", None, size=1)], 2),
        ([stacked("ab", None, None, size=3)], [stacked("ac", None, None, size=5)], None),
        ([stacked("ab", None, None, size=3)], [stacked("ac", 1, 4, size=5)], 2),
        ([stacked("ab", None, None)], [], None),
    ],
)
def test_bytes(going: list[ImageContents], staying: list[ImageContents], bytes_gained: int | None) -> None:
    assert gained(going, staying) == bytes_gained


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "Nothing says which"),
        ({"dangling": False}, "Nothing says which"),
        ({"references": [], "older_than": "1d"}, "references is empty"),
        ({"globs": [], "dangling": True}, "globs is empty"),
        ({"labels": []}, "labels is empty"),
        ({"keep": 0, "globs": ["**"]}, "keep is 0"),
    ],
)
def test_what_says_too_little_is_refused(options: dict[str, t.Any], said: str) -> None:
    with pytest.raises(DeliveryError, match=said):
        check_selection({**OPTIONS, **options})


@pytest.mark.parametrize(
    "options",
    [
        {"references": ["a/b:1"]},
        {"globs": ["**"]},
        {"labels": ["a"]},
        {"dangling": True},
        {"older_than": "1d"},
        {"keep": 1},
    ],
)
def test_one_option_is_enough(options: dict[str, t.Any]) -> None:
    check_selection({**OPTIONS, **options})
