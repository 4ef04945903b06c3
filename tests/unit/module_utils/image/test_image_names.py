# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which images are meant by their names."""

from __future__ import annotations

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.image.names import Glob, InvalidSelection, Names
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Endpoint, Reference

DIGEST, OTHER = "sha256:" + "1" * 64, "sha256:" + "2" * 64


@pytest.mark.parametrize(
    ("pattern", "reference", "meant"),
    [
        ("registry.example:5000/shop/*", "registry.example:5000/shop/web:1", True),
        ("registry.example:5000/shop/*", f"registry.example:5000/shop/web@{DIGEST}", True),
        ("registry.example:5000/shop/*", "registry.example:5000/shop/web/base:1", False),
        ("registry.example:5000/shop/**", "registry.example:5000/shop/web/base:1", True),
        ("registry.example:5000/*", "registry.example:5000/shop/web:1", False),
        ("registry.example:*/shop/web", "registry.example:5000/shop/web:1", True),
        ("other.example/shop/*", "registry.example:5000/shop/web:1", False),
        ("shop/*", "registry.example:5000/shop/web:1", True),
        ("shop/we?", "registry.example:5000/shop/web:1", True),
        ("shop?web", "registry.example:5000/shop/web:1", False),
        ("shop/w", "registry.example:5000/shop/web:1", False),
        ("shop/*:1.*", "shop/web:1.4", True),
        ("shop/*:1.*", "shop/web:2", False),
        ("shop/*:1.*", f"shop/web@{DIGEST}", False),
        ("shop/web:1.4", "shop/web:1x4", False),  # a dot is a dot
        ("debian:*", "debian:13", True),
        ("docker.io/library/debian", "debian:13", True),
        ("localhost:5000/*", "localhost:5000/web:1", True),
        ("**", "registry.example:5000/shop/web:1", True),
    ],
)
def test_globs(pattern: str, reference: str, meant: bool) -> None:
    assert Names.parse(None, [pattern]).wants([Reference.parse(reference)]) is meant


@pytest.mark.parametrize(
    ("wanted", "held", "meant"),
    [
        ("shop/web:1", ["shop/web:2", "shop/web:1"], True),
        ("shop/web:1", ["shop/web:2"], False),
        ("shop/web", ["shop/web:2"], True),
        ("shop/web", [f"shop/web@{DIGEST}"], True),
        ("shop/web", ["shop/db:2"], False),
        ("shop/web", ["registry.example/shop/web:2"], False),
        (f"shop/web@{DIGEST}", [f"shop/web@{DIGEST}"], True),
        (f"shop/web@{DIGEST}", [f"shop/web@{OTHER}", "shop/web:1"], False),
        (f"shop/web@{DIGEST}", [f"shop/db@{DIGEST}"], False),
        (f"shop/web:1@{DIGEST}", [f"shop/web@{DIGEST}", "shop/web:1"], True),
        (f"shop/web:1@{DIGEST}", [f"shop/web@{DIGEST}"], False),
        (f"shop/web:1@{DIGEST}", ["shop/web:1"], False),
        ("shop/web:1", [], False),
    ],
)
def test_references(wanted: str, held: list[str], meant: bool) -> None:
    assert Names.parse([wanted], None).wants([Reference.parse(text) for text in held]) is meant


def test_one_name_of_either_kind_is_enough_and_none_means_all() -> None:
    web, db = (Reference.parse(text) for text in ("shop/web:1", "shop/db:1"))
    names = Names.parse(["shop/web:1"], ["shop/d*"])
    assert [names.wants([web]), names.wants([db]), names.wants([])] == [True, True, False]
    assert Names().wants([])
    assert Names.parse(None, None).wants([web])


@pytest.mark.parametrize(
    ("wanted", "image_id", "meant"),
    [
        (DIGEST, DIGEST, True),
        (DIGEST, "1" * 64, True),  # as Podman and CRI-O write it
        ("1" * 64, DIGEST, True),
        ("1" * 12, DIGEST, True),
        ("sha256:" + "1" * 12, DIGEST, True),
        ("1" * 12 + "2", DIGEST, False),
        (OTHER, DIGEST, False),
        ("1" * 11, DIGEST, False),  # a name
        ("1" * 12 + ":1", DIGEST, False),
    ],
)
def test_image_ids(wanted: str, image_id: str, meant: bool) -> None:
    assert Names.parse([wanted], None).wants([], image_id=image_id) is meant


def test_a_layouts_own_name_is_matched_as_it_is() -> None:
    names = Names.parse(None, ["1.*"])
    assert names.wants([], ["1.4"])
    assert not names.wants([], ["2.4"])


def test_a_reference_without_a_registry_is_of_the_given_one() -> None:
    names = Names.parse(["shop/web:1"], None, "registry.example:5000")
    assert [str(reference) for reference in names.references] == ["registry.example:5000/shop/web:1"]


@pytest.mark.parametrize("pattern", ["", " ", "shop/* ", f"shop/web@{DIGEST}", "https://registry.example/shop/*"])
def test_what_is_no_pattern_is_said(pattern: str) -> None:
    with pytest.raises(InvalidSelection, match=r"\Aglobs: "):
        Names.parse(None, [pattern])


def test_what_is_no_reference_is_said() -> None:
    with pytest.raises(DeliveryError, match="shop"):
        Names.parse(["shop//web"], None)


@pytest.mark.parametrize(
    ("pattern", "repository"),
    [
        ("shop/web:1.*", "shop/web"),
        ("registry.example:5000/shop/web", "shop/web"),
        ("shop/*", None),
        ("sho?/web", None),
        ("other.example:5000/shop/web", None),
    ],
)
def test_a_pattern_for_one_repository_is_known_as_such(pattern: str, repository: str | None) -> None:
    assert Glob.parse(pattern).repository(Endpoint.parse("registry.example:5000")) == repository
