# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The searches that are one pass find what each would find by itself."""

from __future__ import annotations

import re
import typing as t

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.longshore.delivery.plugins.module_utils.audit.anchors import PASSES, Anchor, pattern

Hit = tuple[int, tuple[str, ...]]
# what anchors begin and end with, and what is nearly one
PARTS = (
    *(
        "A3TX",
        "ABIA",
        "ACCA",
        "AKIA",
        "ASIA",
        "AccountKey=",
        "PRIVATE KEY",
        "PuTTY-User-Key-File-",
        "ghp_",
        "ghx_",
        "glpat-",
    ),
    *(
        "glagent-",
        "GR1348941",
        "SG.",
        "xoxb-1",
        "xoxo-1",
        "pypi-AgE",
        "sq0csp-",
        "k_live_",
        "hooks.slack.com/services/T",
    ),
    *(
        "books.slack.com/services/T",
        ":_authToken=",
        "_authToken=",
        "eyJ",
        "eyK",
        "T3BlbkFJ",
        "A",
        "g",
        "G",
        "-",
        "k",
        "J",
    ),
    *("A1B2" * 4, "a1_-" * 5, "q" * 88, "w" * 36, ".", " ", "\n", "/", "=", "\0", "\xe9"),
)


def alone(data: bytes) -> set[Hit]:
    """Each by itself: the place of its first byte and its detectors."""
    return {
        (hit.start() - anchor.before, anchor.detectors)
        for first, anchors in PASSES
        for anchor in anchors
        for hit in re.finditer(first + anchor.rest, data)
    }


def together(data: bytes) -> t.Iterator[tuple[Hit, re.Match[bytes], Anchor]]:
    for first, anchors in PASSES:
        for hit in re.finditer(pattern(first, anchors), data):
            anchor = anchors[t.cast("int", hit.lastindex) - 1]
            yield (hit.start() - anchor.before, anchor.detectors), hit, anchor


@given(st.lists(st.sampled_from(PARTS), max_size=30).map("".join))
def test_a_pass_finds_what_its_searches_find(text: str) -> None:
    data = text.encode("latin-1")
    found = list(together(data))
    assert {hit for hit, _match, _anchor in found} <= alone(data)
    # what one hit goes over, no other of its pass begins in
    gone_over = {(match.re, place) for _hit, match, _anchor in found for place in range(match.start() + 1, match.end())}
    for first, anchors in PASSES:
        search = re.compile(pattern(first, anchors))
        missed = {
            (hit.start() - anchor.before, anchor.detectors)
            for anchor in anchors
            for hit in re.finditer(first + anchor.rest, data)
            if (search, hit.start()) not in gone_over
        } - {hit for hit, _match, _anchor in found}
        assert not missed


def test_each_begins_with_a_byte_of_its_own() -> None:
    """Else a pass would ask each of two at every first byte."""
    firsts = [first for first, _anchors in PASSES]
    assert len(set(firsts)) == len(firsts)
    assert all(len(first) == 1 for first in firsts)
