# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stages know nothing of each other: they meet in an image reference, a digest and a registry."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from .imports import PLUGINS, PREFIX, modules, parsed, standing_on

MODULE_UTILS = PLUGINS / "module_utils"
PACKAGE = PREFIX + "module_utils"
STAGES = {"build", "registry", "trust", "pull", "workload", "audit", "trial"}
# What each package may import beside itself and the files above all packages. 'registry' is a stage, and holds the client
# of registries that the others speak to them with.
SHARED: dict[str, set[str]] = {
    "docker_engine": set(),
    "dockerfile": set(),
    "registry": set(),
    "node": {"docker_engine", "registry"},
    "image": {"docker_engine", "node", "registry"},
}
ALLOWED = {**SHARED, **{stage: {*SHARED} - {stage} for stage in STAGES - {"registry"}}}


def packages(source: str) -> set[str]:
    """The packages of module_utils that a source imports from."""
    parts = [
        name.removeprefix(PACKAGE + ".").split(".") for name in modules(ast.parse(source)) if PACKAGE + "." in name
    ]
    return {first for first, *rest in parts if (MODULE_UTILS / first).is_dir()}


def strangers(package: str, source: str) -> set[str]:
    return packages(source) - ALLOWED[package] - {package}


def test_every_package_has_its_place() -> None:
    found = {path.parent.name for path in MODULE_UTILS.glob("*/*.py")}
    assert found == set(ALLOWED)


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_a_package_imports_no_stage_beside_it(package: str) -> None:
    found = {
        str(path.relative_to(MODULE_UTILS)): others
        for path in (MODULE_UTILS / package).rglob("*.py")
        if (others := strangers(package, path.read_text(encoding="utf-8")))
    }
    assert not found


def test_what_all_packages_stand_on_imports_none_of_them() -> None:
    found = {path.name: packages(path.read_text(encoding="utf-8")) for path in MODULE_UTILS.glob("*.py")}
    assert {"capability.py", "digest.py", "reference.py"} <= set(found)
    assert not {name for name, used in found.items() if used}


@pytest.mark.parametrize(
    ("package", "source", "found"),
    [
        ("pull", f"from {PACKAGE}.build.buildx import Built", {"build"}),
        ("pull", f"from {PACKAGE} import build, digest", {"build"}),
        ("pull", f"from {PACKAGE}.build import buildx", {"build"}),
        ("trust", f"def late():\n    import {PACKAGE}.pull.image_pull", {"pull"}),
        ("node", f"from {PACKAGE}.trust.plan import plan", {"trust"}),
        ("registry", f"from {PACKAGE}.node.login import Login", {"node"}),
        ("pull", f"from {PACKAGE}.pull.pull_plan import pinned", set()),
        ("workload", f"from {PACKAGE}.registry.client import RegistryClient", set()),
        ("trust", f"import os\nfrom {PACKAGE}.reference import Reference", set()),
    ],
)
def test_an_import_is_seen_however_it_is_written(package: str, source: str, found: set[str]) -> None:
    assert strangers(package, source) == found


@pytest.mark.parametrize("path", sorted(MODULE_UTILS.glob("*/*plan*.py")), ids=lambda path: path.stem)
def test_a_plan_stands_on_no_client(path: Path) -> None:
    """A plan decides from what was observed; whoever reads it, or runs its tests, needs no package to observe with."""
    used = {name.partition(".")[0] for file in standing_on(path) for name in modules(parsed(file))}
    assert not used - sys.stdlib_module_names - {"ansible", "ansible_collections"}


@pytest.mark.parametrize("path", sorted(MODULE_UTILS.rglob("*.py")), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_name_is_one_class_in_all_that_a_file_stands_on(path: Path) -> None:
    """Two errors of one name, of which a file catches one, are an error that passes by. Stages apart may say the same."""
    homes: dict[str, list[str]] = {}
    for file in standing_on(path):
        for node in parsed(file).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(str(file.relative_to(PLUGINS)))
    assert not {name: files for name, files in homes.items() if len(files) > 1}
