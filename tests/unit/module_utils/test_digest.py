# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import itertools
import operator
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.longshore.delivery.plugins.module_utils.digest import (
    BlobDigest,
    ConfigDigest,
    DiffId,
    Digest,
    IndexDigest,
    ManifestDigest,
)
from ansible_collections.longshore.delivery.plugins.module_utils.reference_grammar import InvalidReference

KINDS = [ManifestDigest, IndexDigest, ConfigDigest, DiffId, BlobDigest]
TEXT = "sha256:" + "a1" * 32
kinds = st.sampled_from(KINDS)
algorithms = st.sampled_from(["sha256", "sha384", "sha512"])


@given(kinds, algorithms, st.binary())
def test_printing_and_parsing_are_inverses(kind: type[Digest], algorithm: str, data: bytes) -> None:
    digest = kind.of(data, algorithm)
    assert str(digest) == f"{algorithm}:{getattr(hashlib, algorithm)(data).hexdigest()}"
    assert kind.parse(str(digest)) == digest
    assert hash(kind.parse(str(digest))) == hash(digest)
    assert digest.matches(data)
    assert not digest.matches(data + b"x")


@pytest.mark.parametrize(("one", "other"), list(itertools.permutations(KINDS, 2)))
@pytest.mark.parametrize("compare", [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge])
def test_two_kinds_cannot_be_compared(
    one: type[Digest], other: type[Digest], compare: t.Callable[[Digest, Digest], bool]
) -> None:
    with pytest.raises(TypeError, match=f"a {one.what} cannot be compared with a {other.what}"):
        compare(one.parse(TEXT), other.parse(TEXT))


def test_a_text_is_no_digest_but_nothing_is_unequal() -> None:
    digest = ManifestDigest.parse(TEXT)
    with pytest.raises(TypeError, match="with a str"):
        operator.eq(digest, TEXT)
    with pytest.raises(TypeError, match="with a str"):
        operator.ne(TEXT, digest)
    assert digest not in [None, 3]


def test_two_kinds_live_in_one_set() -> None:
    every = {kind.parse(TEXT) for kind in KINDS} | {TEXT}
    assert len(every) == len(KINDS) + 1
    assert {kind.parse(TEXT): kind for kind in KINDS}[DiffId.parse(TEXT)] is DiffId


@given(kinds, st.lists(st.binary(), max_size=5))
def test_one_kind_sorts_as_its_text(kind: type[Digest], data: list[bytes]) -> None:
    digests = [kind.of(item) for item in data]
    assert [str(digest) for digest in sorted(digests)] == sorted(str(digest) for digest in digests)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "it is empty"),
        (None, "it is no text"),
        ("a1" * 32, "the algorithm before ':' is missing"),
        ("sha256:" + "a" * 63, "63 hexadecimal digits; sha256 has 64"),
        ("sha256:" + "A" * 64, "the character 'A'"),
        ("SHA256:" + "a" * 64, "algorithm 'SHA256' is not known"),
        ("sha1:" + "a" * 40, "algorithm 'sha1' is not known"),
        ("sha384:" + "a" * 64, "64 hexadecimal digits; sha384 has 96"),
        ("sha512:" + "a" * 64, "64 hexadecimal digits; sha512 has 128"),
        ("sha256:" + "a" * 64 + "\n", "'\\n' at position 72"),
        ("sha256:" + "٣" * 64, "the character '٣'"),
        ("web@" + TEXT, "algorithm 'web@sha256' is not known"),
    ],
)
def test_what_is_no_digest(kind: type[Digest], text: str, cause: str) -> None:
    with pytest.raises(InvalidReference) as caught:
        kind.parse(text)
    assert str(caught.value).startswith(f"Invalid {kind.what} ")
    assert cause in str(caught.value)


def test_a_digest_without_a_kind_cannot_be_made() -> None:
    with pytest.raises(TypeError):
        Digest("sha256", "a" * 64)
