# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Saying what differs between two builds, and which images are the same."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.build.reproducible import differences
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.image import Image, content_of
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.dockerfile import parse
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.stages import stages_of, target_arguments

(STAGE,) = stages_of(parse("FROM a\nCOPY x /\nENV a=b\nRUN make\n", "D"), {})
(MOVES,) = stages_of(parse("FROM a\nWORKDIR /x\nRUN make\n", "D"), {})


def image(*layers: str) -> Image:
    return Image("sha256:1", {}, layers=layers)


def test_a_layer_that_differs_is_named_by_its_instruction() -> None:
    (found,) = differences(image("base", "x", "1"), image("base", "x", "2"), STAGE, "/s/D")
    assert found.startswith("layer 3 of 3 differs: /s/D, line 4, RUN make. What it made has the time")
    (found,) = differences(image("base", "1"), image("base", "2"), MOVES, "/s/D")
    assert found.startswith("layer 2 of 2 differs. ")  # whether WORKDIR made a layer is not known
    (found,) = differences(image("1", "x", "y"), image("2", "x", "y"), STAGE, "/s/D")
    assert found.startswith("layer 1 of 3 differs. ")
    assert differences(image("a"), image("a", "b"), STAGE, "/s/D") == ["one has 1 layers, the other 2"]
    assert differences(image("a"), image("a"), STAGE, "/s/D") == [
        "the layers are the same, and what describes them differs"
    ]


def test_an_image_is_the_same_by_its_id_or_by_all_that_its_configuration_says() -> None:
    shown = {"Created": "x", "Config": {"Labels": {"a": "b"}}, "RootFS": {"Layers": ["l"]}, "Os": "linux"}
    one = Image("sha256:1", {}, content=content_of({**shown, "RepoTags": ["a:1"]}))
    assert one.is_same_as(Image("sha256:2", {}, content=content_of(shown)))
    assert one.is_same_as(dataclasses.replace(one, content=""))
    assert not one.is_same_as(Image("sha256:2", {}, content=content_of({**shown, "Created": "y"})))
    assert not one.is_same_as(Image("sha256:2", {}))
    assert not Image("sha256:1", {}).is_same_as(Image("sha256:2", {}))
    assert not one.is_same_as(None)


@pytest.mark.parametrize(
    ("platform", "architecture", "variant"), [("linux/amd64", "amd64", ""), ("linux/arm/v7", "arm", "v7")]
)
def test_a_platform_sets_arguments(platform: str, architecture: str, variant: str) -> None:
    assert target_arguments(platform) == {
        "TARGETPLATFORM": platform,
        "TARGETOS": "linux",
        "TARGETARCH": architecture,
        "TARGETVARIANT": variant,
    }
