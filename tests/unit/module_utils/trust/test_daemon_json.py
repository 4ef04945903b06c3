# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""daemon.json: two lists in it; every other key, the order and the look stay."""

from __future__ import annotations

import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.longshore.delivery.plugins.module_utils.trust.daemon_json import (
    INSECURE,
    MIRRORS,
    BrokenJson,
    document,
    listed,
    with_item,
    with_list,
    without_item,
)

KEYS = (INSECURE, MIRRORS)
scalars = st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.text(max_size=5))
others = st.dictionaries(
    st.text(max_size=8).filter(lambda key: key not in KEYS),
    st.one_of(scalars, st.lists(scalars, max_size=3), st.dictionaries(st.text(max_size=3), scalars, max_size=2)),
    max_size=4,
)
lists = st.one_of(st.none(), st.lists(st.sampled_from(["a:1", "b:2", "10.0.0.0/8"]), max_size=3, unique=True))


@st.composite
def files(draw: st.DrawFn) -> bytes:
    values: dict[str, t.Any] = dict(draw(others))
    for key in KEYS:
        listed = draw(lists)
        if listed is not None:
            items = list(values.items())
            items.insert(draw(st.integers(0, len(items))), (key, listed))
            values = dict(items)
    indent = draw(st.sampled_from([None, 2, 4, "\t"]))
    text = json.dumps(values, indent=indent, ensure_ascii=draw(st.booleans())) + draw(st.sampled_from(["", "\n"]))
    return text.replace("\n", draw(st.sampled_from(["\n", "\r\n"]))).encode()


@given(files(), st.sampled_from(KEYS))
def test_an_item_comes_and_goes_and_leaves_the_rest(content: bytes, key: str) -> None:
    before = json.loads(content)
    added = with_item(content, key, "h:5000")
    after = json.loads(added)
    assert after.pop(key) == [*before.get(key, []), "h:5000"]
    assert list(after.items()) == [(name, value) for name, value in before.items() if name != key]
    assert with_item(added, key, "h:5000") == added
    taken = without_item(added, key, "h:5000", keep_list=key in before)
    assert list(json.loads(taken or b"").items()) == list(before.items())
    # what was a line each stays a line each, and compact stays compact
    assert taken is not None
    assert taken.count(b"\r\n") == content.count(b"\r\n") or content.count(b"\n") <= 1
    assert (b"\n" in taken.strip()) == (b"\n" in content.strip()) or before == {} or not any(before.values())


@given(files(), st.sampled_from(KEYS))
def test_what_is_not_in_the_list_is_not_taken_out(content: bytes, key: str) -> None:
    assert without_item(content, key, "h:5000", keep_list=False) == content


def test_a_file_that_is_not_there_or_empty() -> None:
    for content in (None, b"", b" \n"):
        assert document(content) == {}
        for key in KEYS:
            assert json.loads(with_item(content, key, "h:1")) == {key: ["h:1"]}
            assert json.loads(with_list(content, key)) == {key: []}


def test_the_list_that_makes_docker_drop_its_trust() -> None:
    assert json.loads(with_list(b'{"debug": true}', INSECURE)) == {"debug": True, INSECURE: []}
    same = b'{"insecure-registries": ["h:1"]}'
    assert with_list(same, INSECURE) == same
    assert json.loads(with_list(same, MIRRORS)) == {INSECURE: ["h:1"], MIRRORS: []}


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b"{\n 'a': 1}", 2, "double quotes"),
        (b'{"a": 1,\n "a": 2}', 1, "twice"),
        (b"[]", 1, "no JSON object"),
        (b'{"insecure-registries": "h:1"}', 1, "no list of texts"),
        (b'{"registry-mirrors": "https://h:1"}', 1, "'registry-mirrors' is no list of texts"),
        (b"\xef\xbb\xbf{}", 1, "byte order mark"),
        (b'{\n"a": "\xff"}', 2, "UTF-8"),
    ],
)
def test_a_broken_file_is_told_with_its_line(content: bytes, line: int, words: str) -> None:
    with pytest.raises(BrokenJson, match=words) as error:
        listed(content, INSECURE)
    assert error.value.line == line
