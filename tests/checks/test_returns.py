# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an error can add to a module's result is in the module's documentation, however rarely it happens.

What modules really return is held to it by tests/returned.py, wherever tests run one.
"""

from __future__ import annotations

import ast
import typing as t

import pytest

from tests.returned import COMMON, differences, documented

from .imports import PLUGINS, parsed, standing_on
from .test_modules import MODULES

BASE = "DeliveryError"
# modules that have the results of others in theirs, where the errors of those add to them
INSIDE = {"image_set": ("image_build", "image_audit", "image_trial")}


def name_of(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


class Errors:
    """The classes of errors in some sources, and what they and their callers put into results."""

    def __init__(self, trees: t.Iterable[ast.Module]) -> None:
        self._trees = list(trees)
        defined = [node for tree in self._trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        # each class with the keywords that are its own, and reach a result by its code alone
        self.own: dict[str, set[str]] = {BASE: {"msg"}}
        while more := [item for item in defined if item.name not in self.own and self._parent(item)]:
            for item in more:
                self.own[item.name] = self.own[self._parent(item)] | self._parameters(item)

    def _parent(self, item: ast.ClassDef) -> str:
        return next((name_of(base) for base in item.bases if name_of(base) in self.own), "")

    @staticmethod
    def _parameters(item: ast.ClassDef) -> set[str]:
        inits = [node for node in item.body if isinstance(node, ast.FunctionDef) and node.name == "__init__"]
        return {argument.arg for node in inits for argument in (*node.args.args, *node.args.kwonlyargs)}

    def facts(self) -> set[str]:
        found = set()
        for tree in self._trees:
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and name_of(node.func) in self.own:
                    found |= {word.arg for word in node.keywords if word.arg} - self.own[name_of(node.func)]
                if isinstance(node, ast.ClassDef) and node.name in self.own and node.name != BASE:
                    for call in ast.walk(node):
                        if isinstance(call, ast.Call) and ast.unparse(call.func) == "super().__init__":
                            found |= {word.arg for word in call.keywords if word.arg} - self.own[self._parent(node)]
        return found


@pytest.mark.parametrize("module", MODULES)
def test_what_errors_add_to_a_result_is_documented(module: str) -> None:
    files = standing_on(PLUGINS / "modules" / f"{module}.py")
    facts = Errors(map(parsed, files)).facts()
    known = {key for name in (module, *INSIDE.get(module, ())) for key in documented(name)}
    assert not facts - known - COMMON


GOOD: dict[str, t.Any] = {
    "changed": True,
    "digest": None,
    "reference": "registry.example:5000/a@sha256:0",
    "image_id": "sha256:0",
    "tags": [{"tag": "1", "reference": "registry.example:5000/a:1", "before": None, "digest": "sha256:0"}],
}


@pytest.mark.parametrize(
    ("returned", "found"),
    [
        (GOOD, []),
        ({"failed": True, "msg": "no", "registry_error": "refused"}, []),
        ({**GOOD, "colour": "red"}, ["colour is not documented"]),
        ({"failed": True, "colour": "red"}, ["colour is not documented"]),
        ({**GOOD, "tags": [{"tag": "1", "moved": True}]}, ["tags[].moved is not documented"]),
        ({**GOOD, "tags": ["1"]}, ["tags[] is '1', not of type dict"]),
        ({**GOOD, "image_id": True}, ["image_id is True, not of type str"]),
        ({"changed": False, "digest": "x", "image_id": "y", "tags": []}, ["reference is missing"]),
    ],
)
def test_a_result_that_is_not_as_documented_is_seen(returned: dict[str, t.Any], found: list[str]) -> None:
    assert differences("image_push", returned) == found


@pytest.mark.parametrize("entry", ["registry_error", "registry_endpoint"])
def test_what_several_modules_return_is_told_in_the_same_words(entry: str) -> None:
    """In ansible-core 2.19 no documentation fragment can hold what modules return."""
    told = [documented(module)[entry] for module in MODULES if entry in documented(module)]
    assert len(told) > 3
    assert [each for each in told if each != told[0]] == []
