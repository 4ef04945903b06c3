# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the collection's files import, read from their sources."""

from __future__ import annotations

import ast
import functools
import typing as t
from pathlib import Path

from .ansible_test import CHECKOUT

PLUGINS = CHECKOUT / "plugins"
PREFIX = "ansible_collections.longshore.delivery.plugins."


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def modules(tree: ast.AST) -> t.Iterator[str]:
    """The full names of all that a file imports; a name imported from a package counts as a module of it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "a relative import: Ansible packs modules by full names, and so does this test"
            for alias in node.names:
                yield f"{node.module}.{alias.name}"


def standing_on(path: Path, found: set[Path] | None = None) -> set[Path]:
    """A file of the collection, and all that it imports of the collection, and those files in turn."""
    found = set() if found is None else found
    if path not in found:
        found.add(path)
        for name in modules(parsed(path)):
            if name.startswith(PREFIX):
                parts = name.removeprefix(PREFIX).split(".")
                for file in (PLUGINS.joinpath(*parts), PLUGINS.joinpath(*parts[:-1])):  # a module, or a name in one
                    if file.with_suffix(".py").is_file():
                        standing_on(file.with_suffix(".py"), found)
    return found
