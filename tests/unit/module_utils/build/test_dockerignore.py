# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of .dockerignore; what a real build receives under generated ones is a test of tests/integration/build/."""

from __future__ import annotations

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.build.dockerignore import InvalidIgnoreFile, parse


def excluded(text: str, path: str) -> bool:
    """Whether the rules of a text keep a path out, asked directory by directory as a walk does."""
    rules, parts = parse(text), path.split("/")
    verdict, matched = False, None
    for end in range(1, len(parts) + 1):
        verdict, matched = rules.excludes("/".join(parts[:end]), matched)
    return verdict


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        # a pattern is about the whole path from the context's root, and about all below it
        ("*.log", "a.log", True),
        ("*.log", "logs/a.log", False),
        ("logs", "logs/deep/a.log", True),
        ("/logs", "logs", True),
        ("logs/", "logs/a", True),
        ("./logs/../logs", "logs", True),
        # wildcards
        ("**/*.log", "a.log", True),
        ("**/*.log", "x/y/a.log", True),
        ("x/**/a", "x/a", True),
        ("x/**/a", "x/y/z/a", True),
        ("x/**", "x/y", True),
        ("x/**", "x", False),
        ("**x", "xylox", True),
        ("?", "é", True),
        ("*", "x/y", True),
        ("x*z", "x/z", False),
        ("[a-c]", "b", True),
        ("[^a-c]", "b", False),
        ("[!a]", "!", True),
        ("a.b", "axb", False),
        ("\\*", "*", True),
        ("\\*", "x", False),
        # the last that matches wins, and ! reopens
        ("*\n!keep", "keep", False),
        ("*\n!keep", "lose", True),
        ("!keep\n*", "keep", True),
        ("*\n!x/keep", "x/keep", False),
        ("*\n!x/keep", "x/lose", True),
        ("*\n!x\nx/lose", "x/lose", True),
        ("*\n!x\nx/lose", "x/keep", False),
        # a pattern that is not looked at above does not count below: BuildKit lets this one in
        ("a\n!a/b\na", "a/b", False),
        # lines
        ("# *\n", "x", False),
        (" # x", "# x", True),
        ("  x \t\r\n", "x", True),
        ("\ufeffx", "x", True),
        ("*\n! keep", "keep", False),
        ("\n\n", "x", False),
    ],
)
def test_rule(text: str, path: str, expected: bool) -> None:
    assert excluded(text, path) is expected


@pytest.mark.parametrize(("text", "line"), [("x\n[", 2), ("a\\", 1), ("!", 1), ("*\n! ", 2), ("[]", 1)])
def test_what_buildkit_refuses_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(InvalidIgnoreFile, match=f"^ignored, line {line}: the pattern"):
        parse(text, "ignored")


@pytest.mark.parametrize(
    ("text", "directory", "expected"),
    [
        ("x", "x", False),
        ("*\n!x/keep", "x", True),
        ("*\n!x/keep", "y", False),
        ("*\n!**/keep", "y", True),
        ("*\n!xy", "x", False),
    ],
)
def test_a_walk_looks_into_an_excluded_directory_only_where_something_may_be_let_in(
    text: str, directory: str, expected: bool
) -> None:
    assert parse(text).reopens_below(directory) is expected


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("# c\n*.log\n", "a.log", (2, "*.log")),
        ("*\n!x\nx/y", "x/y/z", (3, "x/y")),
        ("*\n!x", "x/y", None),
        ("", "x", None),
    ],
)
def test_the_line_that_decided_is_known(text: str, path: str, expected: tuple[int, str] | None) -> None:
    pattern = parse(text).deciding(path)
    assert (pattern and (pattern.line, pattern.written)) == expected
