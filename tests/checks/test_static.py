# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be said of the sources without running them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.pythons import NODE_PYTHONS

from .ansible_test import CHECKOUT, all_names, cache_directory, copy_collection, packed_names, sanity, tracked

BIN = Path(sys.executable).parent
# what tells a checker to look away; its reason is in a comment behind it, or in one on the line above
DISABLES = re.compile(
    r"#\s*(?:noqa|type: ignore|pylint: disable|mypy: |nosec|yamllint disable|shellcheck disable)[^#]*"
    r"(?:#\s*(?P<reason>\w+ \w.*))?"
)
DISABLES_ALLOWED = 1
LINES_ALLOWED = 400


def succeeds(*command: str | Path, cwd: Path = CHECKOUT, environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-8000:]


@pytest.fixture(scope="session")
def collection() -> Path:
    """A copy of the checkout in the place that ansible-lint wants."""
    return copy_collection(lint_directory(), all_names())


def lint_directory() -> Path:
    return cache_directory() / "lint"


def test_ansible_test_sanity() -> None:
    """Of what users get; what else there is, tests/matrix looks at."""
    done = sanity(packed_names())
    assert done.passed, done.said[-16000:]
    assert set(done.ran) == done.available
    assert not tracked("tests/sanity/ignore*")
    skipped = re.findall(r'Skipping sanity test "\S+"(?: on Python (\S+) because it could not be found)?', done.said)
    missing = sorted(set(skipped).intersection(NODE_PYTHONS))
    # ansible-core 2.19 would have nodes with Python 3.8 as well
    assert set(skipped) <= {*missing, "3.8"}
    assert "Required program" not in done.said  # without which a test is passed over
    if missing:
        warnings.warn(f"not on this machine, and so not checked: Python {', '.join(missing)}", stacklevel=1)
    for check in ("compile", "import"):
        checked = set(re.findall(rf'Running sanity test "{check}" on Python (\S+)', done.said))
        assert f"3.{sys.version_info.minor}" in checked, check
        assert checked.intersection(NODE_PYTHONS), check


def test_ansible_lint_in_the_production_profile(collection: Path) -> None:
    succeeds(
        BIN / "ansible-lint",
        cwd=collection,
        environment={
            "ANSIBLE_COLLECTIONS_PATH": str(lint_directory()),
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        },
    )


@pytest.mark.parametrize("command", [["check"], ["format", "--check", "--diff"]], ids=" ".join)
def test_ruff(command: list[str]) -> None:
    succeeds(BIN / "ruff", *command, CHECKOUT)


def test_types() -> None:
    """Of the collection by the name by which it is imported, and of the tests and the example by theirs."""
    collections = Path(".cache", "collections")
    plugins = collections / "ansible_collections" / "longshore" / "delivery" / "plugins"
    succeeds(BIN / "mypy", plugins, "tests", "examples", environment={"MYPYPATH": str(collections)})


def test_changelog_fragments() -> None:
    succeeds(BIN / "antsibull-changelog", "lint")


def lines_of_code(path: Path) -> int:
    """Lines of a file; of a module those beside its documentation, which is one text by the rules of Ansible."""
    text = path.read_text(encoding="utf-8")
    if path.parent == CHECKOUT / "plugins" / "modules":
        text = re.sub(r'^(DOCUMENTATION|EXAMPLES|RETURN) = r?""".*?^"""$', "", text, flags=re.MULTILINE | re.DOTALL)
    return len(text.splitlines())


def test_files_are_small() -> None:
    long = {
        str(path.relative_to(CHECKOUT)): lines
        for path in tracked("*.py")
        if (lines := lines_of_code(path)) > LINES_ALLOWED
    }
    assert not long


def looks_away(text: str) -> Iterator[tuple[str, bool]]:
    """Each place that tells a checker to look away, and whether it says why."""
    above = ""
    for line in text.splitlines():
        match = DISABLES.search(line)
        if match:
            yield match.group(0), bool(match["reason"]) or above.startswith("#")
        above = line.strip()


def test_few_places_look_away() -> None:
    found = [
        (f"{path.relative_to(CHECKOUT)}: {marker}", has_reason)
        for path in tracked("*.py", "*.yml", "*.yaml", "*.sh")
        for marker, has_reason in looks_away(path.read_text(encoding="utf-8"))
    ]
    assert len(found) <= DISABLES_ALLOWED, found
    assert not [marker for marker, has_reason in found if not has_reason]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x == y", []),
        ("x == y  {look_away}", [False]),
        ("x == y  {look_away}: B015, SIM300", [False]),
        ("x == y  {look_away}: B015  # it is to raise", [True]),
        ("# it is to raise\nx == y  {look_away}: B015\nx != y  {look_away}", [True, False]),
    ],
)
def test_a_place_that_looks_away_without_a_reason_is_seen(text: str, found: list[bool]) -> None:
    lines = text.format(look_away="# " + "noqa")
    assert [has_reason for marker, has_reason in looks_away(lines)] == found


def test_every_controller_capability_has_both_fronts() -> None:
    """What needs a package beside the standard library is for the controller: nodes have none."""
    declared = re.compile(r"^CAPABILITY = Capability\(.*?\bneeds=", re.DOTALL | re.MULTILINE)
    of_the_controller = {
        path.stem
        for path in tracked("plugins/module_utils/**/*.py")
        if declared.search(path.read_text(encoding="utf-8"))
    }
    actions = {path.stem for path in tracked("plugins/action/*.py")}
    modules = {path.stem for path in tracked("plugins/modules/*.py")}
    assert of_the_controller
    assert of_the_controller <= actions <= modules


@pytest.mark.parametrize("role", sorted(path.name for path in (CHECKOUT / "roles").iterdir()))
def test_every_role_is_of_one_shape(role: str) -> None:
    directory = CHECKOUT / "roles" / role
    for part in ("README.md", "meta/argument_specs.yml", "defaults/main.yml", "tasks/main.yml", "meta/main.yml"):
        assert (directory / part).is_file(), part
    entries = yaml.safe_load((directory / "meta/argument_specs.yml").read_text())["argument_specs"]
    specs = {option for entry in entries.values() for option in entry["options"]}
    defaults = yaml.safe_load((directory / "defaults/main.yml").read_text()) or {}
    assert set(defaults) <= set(specs)
    assert all(name.startswith(f"{role}_") for name in specs)
