# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is told of an image, whatever its store says."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.digest import BlobDigest, ConfigDigest
from ansible_collections.longshore.delivery.plugins.module_utils.image.contents import (
    Digests,
    ImageContents,
    layers_of,
)
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference

ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64


@pytest.mark.parametrize(
    ("config", "platform"),
    [
        ({"os": "linux", "architecture": "arm", "variant": "v7"}, "linux/arm/v7"),
        ({"os": "linux", "architecture": "amd64", "variant": None}, "linux/amd64"),
        ({"os": "linux"}, None),
        ({}, None),
    ],
)
def test_platform(config: dict[str, t.Any], platform: str | None) -> None:
    assert ImageContents("x", config=config).platform == platform


def test_settings_are_those_of_an_image_that_are_set() -> None:
    config = {"User": "1000", "Hostname": "abc", "Env": ["A=1"], "Cmd": None, "Volumes": {}, "Labels": {"a": "b"}}
    image = ImageContents("x", config={"config": config})
    assert image.settings == {"User": "1000", "Env": ["A=1"]}
    assert image.labels == {"a": "b"}


@pytest.mark.parametrize("config", [{}, {"config": None}, {"config": []}, {"history": None, "rootfs": None}])
def test_nothing_is_told_of_what_a_configuration_does_not_say(config: dict[str, t.Any]) -> None:
    shown = ImageContents("x", config=config, layers=layers_of(config)).shown()
    assert {name: value for name, value in shown.items() if value} == {
        "id": "x",
        "digests": {"config": None, "manifest": None, "index": None},
    }


def config_of(*made_by: str, diff_ids: t.Sequence[str] = (ONE, TWO)) -> dict[str, t.Any]:
    history = [{"created_by": text.lstrip("-"), "empty_layer": text.startswith("-")} for text in made_by]
    return {"rootfs": {"diff_ids": list(diff_ids)}, "history": history}


def test_a_layer_has_its_instruction_and_its_blob() -> None:
    blobs: list[tuple[BlobDigest, int | None]] = [(BlobDigest.parse(TWO), 10), (BlobDigest.parse(ONE), None)]
    lower, upper = layers_of(config_of("COPY a", "-ENV", "COPY b"), blobs, [100, 200])
    assert (lower.index, str(lower.diff_id), str(lower.digest), lower.compressed_size) == (0, ONE, TWO, 10)
    assert (lower.size, lower.created_by) == (100, "COPY a")
    assert (upper.index, upper.compressed_size, upper.size, upper.created_by) == (1, None, 200, "COPY b")


def test_what_does_not_count_as_the_layers_do_is_given_to_none_of_them() -> None:
    for config, sizes in (
        (config_of("COPY a"), [1, 2, 3]),
        (config_of("COPY a", "COPY b", "COPY c"), [1]),
        (config_of(), []),
    ):
        layers = layers_of(config, sizes=sizes)
        assert [(str(layer.diff_id), layer.size, layer.created_by) for layer in layers] == [
            (ONE, None, None),
            (TWO, None, None),
        ]
    [only] = layers_of(config_of("COPY a"), [(BlobDigest.parse(ONE), 5)])[:1]
    assert (only.diff_id is None, only.digest is None) == (False, True)


def test_shown() -> None:
    tagged = Reference.parse("shop/web:1")
    image = ImageContents(
        ONE,
        (tagged,),
        (Reference.parse(f"shop/web@{TWO}"),),
        ("1",),
        Digests(ConfigDigest.parse(ONE)),
        {**config_of("COPY a", "COPY b"), "created": "2026-11-21T15:04:05+01:00"},
        layers_of(config_of("COPY a", "COPY b")),
        5,
    )
    shown = image.shown()
    assert (shown["references"], shown["names"], shown["size"]) == (["docker.io/shop/web:1"], ["1"], 5)
    assert shown["repository_digests"] == [f"docker.io/shop/web@{TWO}"]
    assert shown["digests"] == {"config": ONE, "manifest": None, "index": None}
    assert shown["created"] == "2026-11-21T14:04:05Z"
    assert shown["layers"][1] == {
        "diff_id": TWO,
        "digest": None,
        "compressed_size": None,
        "size": None,
        "created_by": "COPY b",
    }


@pytest.mark.parametrize(
    ("references", "names", "dangling"), [((), (), True), (("a/b:1",), (), False), ((), ("1.4",), False)]
)
def test_dangling_is_what_no_tag_and_no_name_is_for(
    references: t.Sequence[str], names: tuple[str, ...], dangling: bool
) -> None:
    tagged = tuple(Reference.parse(text) for text in references)
    image = ImageContents("x", tagged, (Reference.parse(f"a/b@{ONE}"),), names)
    assert image.is_dangling is dangling
