# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is masked of a secret."""

from __future__ import annotations

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.concealment import Concealment

KEY = "-----BEGIN-----\nabcdefgh\nab\n\n"


@pytest.mark.parametrize("known", [True, False], ids=["by its option", "found later"])
@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (f"all: {KEY.strip()}.", "all: ********."),
        ("a line: abcdefgh", "a line: ********"),
        ("a short one: ab", "a short one: ab"),
        ({"lines": ["-----BEGIN-----", "abcdefgh"]}, {"lines": ["VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"] * 2}),
    ],
)
def test_a_secret_is_masked_as_a_whole_and_by_its_longer_lines(known: bool, said: object, shown: object) -> None:
    secrets = Concealment({KEY} if known else set())
    if not known:
        secrets.conceal(KEY)
    assert secrets.mask(said) == shown


def test_what_is_found_has_to_be_long_enough_to_be_a_secret() -> None:
    secrets = Concealment({"ab"})
    for text in ("ci", "word"):
        secrets.conceal(text)
    assert secrets.mask("ab ci word") == "******** ci ********"


def test_what_stands_around_a_secret_does_not_keep_it_from_being_masked() -> None:
    assert Concealment({" tok\n"}).mask("it is tok") == "it is ********"


def test_nothing_is_no_secret() -> None:
    secrets = Concealment(set())
    for text in ("", "\n", " \n \n"):
        secrets.conceal(text)
    assert secrets.mask("a b") == "a b"
