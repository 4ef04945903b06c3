# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How an image is named by who uses it, and what is then in use."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.registry.retention_rules import InvalidRetention
from ansible_collections.longshore.delivery.plugins.module_utils.registry.retention_use import InUse

HEX = "a" * 64
DIGEST = f"sha256:{HEX}"


@pytest.mark.parametrize(
    ("text", "digests", "tags", "places"),
    [
        (f"reg.example:5000/a/b@{DIGEST}", [DIGEST], [], [("a/b", DIGEST)]),
        (f"reg.example:5000/a/b:1@{DIGEST}", [DIGEST], [], [("a/b", DIGEST)]),
        (f"docker-pullable://reg.example/a/b@{DIGEST}", [DIGEST], [], [("a/b", DIGEST)]),
        (DIGEST, [DIGEST], [], []),
        (HEX, [DIGEST], [], []),
        (f"docker://{DIGEST}", [DIGEST], [], []),
        ("sha512:" + 2 * HEX, ["sha512:" + 2 * HEX], [], []),
        ("reg.example/a/b:1", [], [("a/b", "1")], []),
        ("reg.example/a/b", [], [("a/b", "latest")], []),
        (" a/b:1\n", [], [("a/b", "1")], []),
        ("debian:13", [], [("library/debian", "13"), ("debian", "13")], []),
        ("Not An Image", [], [], []),
        ("", [], [], []),
    ],
)
def test_what_a_name_says_to_be_in_use(
    text: str, digests: list[str], tags: list[tuple[str, str]], places: list[tuple[str, str]]
) -> None:
    in_use = InUse()
    assert in_use.add(text, "somebody") is bool(digests or tags)
    assert (list(in_use.digests), list(in_use.tags), sorted(in_use.places)) == (digests, tags, places)
    for digest in digests:
        assert in_use.by([digest], "", []) == ["somebody"]
    for repository, tag in tags:
        assert in_use.by([], repository, [tag]) == ["somebody"]


def test_those_who_use_it_are_named_once() -> None:
    in_use = InUse()
    for who in ("b", "a", "b"):
        in_use.add(f"x/y@{DIGEST}", who)
        in_use.add("x/y:1", who)
    in_use.add("x/y:1", "c")
    assert in_use.by([DIGEST], "x/y", ["1", "2"]) == ["b", "a", "c"]
    assert in_use.by([], "x/z", ["1"]) == []


def test_what_image_info_shows_is_in_use_by_all_its_names() -> None:
    shown: dict[str, t.Any] = {
        "id": DIGEST,
        "references": ["reg.example/a:1"],
        "repository_digests": ["reg.example/a@sha256:" + "b" * 64],
        "names": ["whatever it says"],
        "digests": {"config": "sha256:" + "c" * 64, "manifest": None, "index": "sha256:" + "d" * 64},
    }
    in_use = InUse()
    in_use.add_hosts({"n1": [shown]})
    assert sorted(in_use.digests) == ["sha256:" + letter * 64 for letter in "abcd"]
    assert list(in_use.tags) == [("a", "1")]
    assert in_use.asked == ["n1"]


@pytest.mark.parametrize("image", ["Not An Image", {"no": "id"}, {"id": "Not An Image"}, {"id": 7}, 7, None])
def test_what_is_no_image_is_not_passed_over(image: object) -> None:
    with pytest.raises(InvalidRetention, match=r"of n1, .* is no image"):
        InUse().add_hosts({"n1": [DIGEST, image]})


def test_all_that_were_not_asked_are_named() -> None:
    with pytest.raises(InvalidRetention, match="what n1, n3 have"):
        InUse().add_hosts({"n1": None, "n2": [], "n3": {"msg": "unreachable"}})
