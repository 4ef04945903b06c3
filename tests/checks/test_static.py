# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be said of the sources without running them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from .ansible_test import CHECKOUT, cache_directory, copy_collection, sanity

BIN = Path(sys.executable).parent
# what may be told to look away, and how often in all; raising it wants a reason beside the comment
DISABLES = re.compile(r"#\s*(?:noqa|type: ignore|pylint: disable|mypy: |nosec|noqa:)[^\n]*")
DISABLES_ALLOWED = 8
LINES_ALLOWED = 400


def tracked(*patterns: str) -> list[Path]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns]
    listed = subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True).stdout
    paths = [CHECKOUT / name.decode() for name in listed.split(b"\0") if name]
    return [path for path in paths if path.is_file()]


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
    """A copy of the checkout in the place that ansible-test and ansible-lint want."""
    return copy_collection(cache_directory())


def test_ansible_test_sanity(collection: Path) -> None:
    done = sanity(collection, cache_directory() / "home")
    assert done.returncode == 0, done.stdout[-12000:] + done.stderr[-4000:]
    assert 'Running sanity test "validate-modules"' in done.stdout + done.stderr
    assert not list(collection.glob("tests/sanity/ignore*"))


def test_ansible_lint_in_the_production_profile(collection: Path) -> None:
    succeeds(
        BIN / "ansible-lint",
        cwd=collection,
        environment={
            "ANSIBLE_COLLECTIONS_PATH": str(cache_directory()),
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        },
    )


@pytest.mark.parametrize("command", [["check"], ["format", "--check", "--diff"]], ids=" ".join)
def test_ruff(command: list[str]) -> None:
    succeeds(BIN / "ruff", *command, CHECKOUT)


def test_types() -> None:
    root = CHECKOUT / ".cache" / "collections"
    succeeds(
        BIN / "mypy",
        "--config-file",
        CHECKOUT / "pyproject.toml",
        "--cache-dir",
        CHECKOUT / ".mypy_cache",
        *(
            f"ansible_collections/longshore/delivery/plugins/{part}"
            for part in ("module_utils", "plugin_utils", "action")
        ),
        cwd=root,
    )


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


def test_few_places_look_away() -> None:
    found = [
        f"{path.relative_to(CHECKOUT)}: {match.group(0)}"
        for path in tracked("plugins/*.py", "roles/**/*.yml", "playbooks/*.yml")
        for match in DISABLES.finditer(path.read_text(encoding="utf-8"))
    ]
    assert len(found) <= DISABLES_ALLOWED, found


def test_every_controller_capability_has_both_fronts() -> None:
    actions = {path.stem for path in tracked("plugins/action/*.py")}
    modules = {path.stem for path in tracked("plugins/modules/*.py")}
    assert actions
    assert actions <= modules


@pytest.mark.parametrize("role", sorted(path.name for path in (CHECKOUT / "roles").iterdir()))
def test_every_role_is_of_one_shape(role: str) -> None:
    directory = CHECKOUT / "roles" / role
    for part in ("README.md", "meta/argument_specs.yml", "defaults/main.yml", "tasks/main.yml", "meta/main.yml"):
        assert (directory / part).is_file(), part
    specs = yaml.safe_load((directory / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    defaults = yaml.safe_load((directory / "defaults/main.yml").read_text()) or {}
    assert set(defaults) <= set(specs)
    assert all(name.startswith(f"{role}_") for name in specs)
