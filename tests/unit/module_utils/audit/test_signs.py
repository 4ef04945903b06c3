# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Detectors that are not asked for want of a sign would have seen nothing."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.longshore.delivery.plugins.module_utils.audit.detectors import SETTINGS_ANCHORS, Detectors
from ansible_collections.longshore.delivery.plugins.module_utils.audit.signs import Signs

NAMES = sorted({name for _pattern, names in SETTINGS_ANCHORS for name in names})
PARTS = (
    *(
        "api_key",
        "apikey",
        "Auth_Key",
        "db_pass",
        "keypass",
        "password",
        "PASSWD",
        "pwd",
        "secret",
        "contrase\xf1a",
        "key",
        "token",
    ),
    *(
        "aws",
        "AKIA",
        "ASIA",
        "A3TX",
        "softlayer_",
        "sl",
        "ibm_cos_",
        "ibmcloud_iam_",
        "http://api.softlayer.com/soap/v3/",
    ),
    *(
        "0a1b2c3d" * 2,
        "0a1b2c3d" * 6,
        "0a1b2c3d" * 8,
        "qZ7mK2xW9bT4vR8nY3cL6pF1hJ5sD0gXaEuIoQwBtNkM",
        "A1B2C3D4E5F6G7H8",
    ),
    *(
        ":",
        "=",
        "==",
        "!=",
        ":=",
        "=>",
        ";",
        '"',
        "'",
        "`",
        "[",
        "]",
        "{",
        "}",
        ",",
        " ",
        "\t",
        "\xa0",
        "\x1c",
        "x",
        "\xe9",
    ),
    *(
        "changeme",
        "an example",
        "abc",
        "x...y",
        "\r\n",
    ),
    *(
        "secret_access_key=",
        "api_key:",
        "_api_key = '",
        "aws_key: '",
        "hunter22",
        "_",
        "-",
        "1",
        "$",
        ".",
        "(",
        "s" * 30,
    ),
)


@given(line=st.lists(st.sampled_from(PARTS), max_size=14).map("".join))
@pytest.mark.usefixtures("detectors")
def test_what_is_seen_has_its_sign(line: str) -> None:
    data = line.encode().lower()
    detectors = Detectors()
    for name in NAMES:
        if not Signs(data).allow(name, 0, len(data)):
            assert detectors.seen([name], line, "") is None, name


@pytest.mark.usefixtures("detectors")
@given(
    before=st.sampled_from(["", "x: 1, ", '{"']),
    word=st.sampled_from(PARTS[:12]),
    affix=st.sampled_from(["", "s", "_x1", "\xe9"]),
    between=st.lists(
        st.sampled_from([":", "=", "!", '"', "'", "]", " ", "\t", "\xa0", "\x1c", ">", "`"]), max_size=6
    ).map("".join),
    value=st.sampled_from(
        [
            "hunter22",
            "changeme",
            "'changeme'",
            '"changeme" x',
            '"changeme",',
            "abc",
            '"ab"}',
            "\xe9t\xe9-22",
            "_x9y8z7",
            "'hunter22'",
            '"hunter22";',
            "0a1b2c3d" * 6,
            "",
        ]
    ),
)
def test_a_keyword_s_value_has_its_sign(before: str, word: str, affix: str, between: str, value: str) -> None:
    line = before + word + affix + between + value
    data = line.encode().lower()
    if not Signs(data).allow("KeywordDetector", 0, len(data)):
        assert Detectors().seen(["KeywordDetector"], line, "") is None


def test_what_has_none_is_not_asked() -> None:
    """Else nothing would be gained."""
    for line in (b'{"key": "value", "token": 1}', b"monkey=1", b"compass: x"):
        assert not [
            name
            for name in ("AWSKeyDetector", "KeywordDetector", "SoftlayerDetector")
            if Signs(line).allow(name, 0, len(line))
        ]
    for line in (b'"password":"","x":1', b'"secret": "changeme",', b"secret: changeme", b'{"pwd":"abc"}'):
        assert not Signs(line).allow("KeywordDetector", 0, len(line))
        assert not Signs(line).possible(("KeywordDetector",))
    for line in (
        b'"secret": "changeme hunter22"x',
        b"secret: changeme: hunter22",
        b'"pwd": "changeme_pwd": "hunter22"',
    ):
        assert Signs(line).allow("KeywordDetector", 0, len(line))
        assert Signs(line).possible(("KeywordDetector", "AWSKeyDetector")) == ("KeywordDetector",)


def test_a_crafted_file_is_soon_looked_through() -> None:
    began = time.process_time()
    for data in (b"secret" * 20_000, b"secret" + b" " * 100_000 + b"secret" + b"=" * 100_000, b"a" * 100_000):
        signs = Signs(data)
        for name in NAMES:
            signs.allow(name, 0, len(data))
    assert time.process_time() - began < 5


@given(
    line=st.lists(st.sampled_from([*PARTS, "x" * 200, "\n"]), max_size=60).map("".join),
    places=st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 500)), max_size=20),
)
def test_parts_that_overlap_are_asked_about_as_each_by_itself(line: str, places: list[tuple[int, int]]) -> None:
    data = line.encode().lower()
    signs = Signs(data)
    parts = sorted((first, min(first + length, len(data))) for first, length in places if first < len(data))
    for first, last in parts:
        for name in NAMES:
            alone = Signs(data[first:]).allow(name, 0, last - first)  # a value goes on behind what is shown of it
            assert signs.allow(name, first, last) or not alone
