# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""In which order a list of images is built, and what is said of one that has none."""

from __future__ import annotations

import dataclasses
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.build.build_order import (
    ImpossibleOrder,
    Member,
    build_order,
    named_bases,
)


def member(name: str, *bases: str, after: tuple[str, ...] = ()) -> Member:
    return Member(name, frozenset((f"r/{name}:1",)), frozenset(f"r/{base}:1" for base in bases), after)


def test_one_waits_for_those_it_is_built_on_wherever_they_stand() -> None:
    order = build_order([member("web", "base"), member("base"), member("tools", "base", "web"), member("other", "far")])
    assert order == (frozenset((1,)), frozenset(), frozenset((0, 1)), frozenset())


@pytest.mark.parametrize("name", ["base", "base:1", "r/base:1"])
def test_one_waits_for_those_it_names(name: str) -> None:
    assert build_order([member("web", after=(name,)), member("base")]) == (frozenset((1,)), frozenset())


def test_one_that_stands_on_an_earlier_image_of_its_own_name_waits_for_nothing() -> None:
    assert build_order([member("web", "web", after=("web",))]) == (frozenset(),)


def test_one_whose_bases_are_unknown_waits_for_all_before_it() -> None:
    unknown = Member("web", frozenset(("r/web:1",)), None)
    assert build_order([member("a"), unknown, member("b")]) == (frozenset(), frozenset((0,)), frozenset())


def test_what_is_built_twice_is_built_one_after_the_other() -> None:
    assert build_order([member("web"), member("web"), member("web")]) == (
        frozenset(),
        frozenset((0,)),
        frozenset((0, 1)),
    )


def test_one_that_stands_on_what_its_build_would_not_find_is_refused() -> None:
    base, web = member("base"), member("web", "base")
    layout, registry = (dataclasses.replace(base, output=output) for output in ("layout", "registry"))
    farm = dataclasses.replace(web, builder="farm")
    for images in ([web, base], [web, layout, registry], [farm, registry], [member("web", after=("base",)), layout]):
        build_order(images)
    with pytest.raises(
        ImpossibleOrder, match="web stands on r/base:1, which goes to an OCI layout, where no build looks"
    ):
        build_order([web, layout])
    with pytest.raises(
        ImpossibleOrder, match="which stays in the engine, and the builder farm has the images of regis"
    ):
        build_order([farm, base, layout])


def test_a_circle_is_named() -> None:
    images = [member("free"), member("a", "b"), member("b", "c"), member("c", "a"), member("after", "a")]
    with pytest.raises(ImpossibleOrder, match="wait for one another: a after b after c after a"):
        build_order(images)


def test_a_name_that_is_not_in_the_list_is_named() -> None:
    with pytest.raises(ImpossibleOrder, match="web: 'depends_on' names bsae, which is not in the list"):
        build_order([member("web", after=("bsae",)), member("base")])


DOCKERFILE = """\
ARG BASE
FROM ${BASE} AS first
FROM scratch AS unneeded
COPY --from=host.example/unneeded:1 / /
FROM assets AS last
COPY --from=first / /
COPY --from=host.example/tools:2 / /
"""


@pytest.mark.parametrize("inline", [False, True])
def test_the_bases_are_those_of_the_stages_that_are_needed(tmp_path: Path, inline: bool) -> None:
    build: dict[str, t.Any] = {
        "source": str(tmp_path),
        "dockerfile": "Dockerfile",
        "dockerfile_inline": DOCKERFILE if inline else None,
        "args": {"BASE": "host.example/base:1"},
        "contexts": {"assets": "docker-image://host.example/assets:3"},
        "target": "last",
    }
    if not inline:
        (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    assert sorted(named_bases(build) or ()) == sorted(
        ["host.example/base:1", "host.example/assets:3", "host.example/tools:2"]
    )
    assert sorted(named_bases({**build, "target": "unneeded"}) or ()) == sorted(["host.example/unneeded:1"])
    assert named_bases({**build, "args": {}}) is None
    assert named_bases({**build, "target": "nowhere"}) is None


def test_the_bases_of_a_dockerfile_that_is_not_there_are_unknown(tmp_path: Path) -> None:
    build: dict[str, t.Any] = {"source": str(tmp_path), "dockerfile": "Dockerfile", "dockerfile_inline": None}
    assert named_bases({**build, "args": {}, "contexts": {}, "target": None}) is None
