# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files that decide in a gate: all of them count, and any change of one does."""

from __future__ import annotations

import shutil
import sys
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.build import judging_files as judging
from tests.checks.imports import PLUGINS, standing_on

MODULE_UTILS = PLUGINS / "module_utils"
CAPABILITIES = {"audit": "audit/image_audit.py", "trial": "trial/image_trial.py"}
# what fetches, carries and names, and decides nothing
CARRYING = {
    "absolute_path.py",
    "capability.py",
    "concealment.py",
    "counted.py",
    "delivery_error.py",
    "digest.py",
    "docker_engine",
    "endpoint.py",
    "image",
    "interruption.py",
    "moments.py",
    "node",
    "printable.py",
    "reference.py",
    "reference_grammar.py",
    "registry",
    "running.py",
    "side_by_side.py",
    "verified_stream.py",
    "wildcards.py",
}


@pytest.mark.parametrize("gate", CAPABILITIES)
def test_all_that_a_gate_stands_on_decides_or_is_known_not_to(gate: str) -> None:
    used = {str(path.relative_to(MODULE_UTILS)) for path in standing_on(MODULE_UTILS / CAPABILITIES[gate])}
    decides = judging.DECIDING[gate]
    left = {path for path in used if path not in decides and path.partition("/")[0] not in {*decides, *CARRYING}}
    assert not left
    assert {path for path in decides if path.endswith(".py")} <= used
    # a package counts as a whole, also in a module's archive, which has only what is imported
    whole = {path for name in decides for path in (MODULE_UTILS / name).glob("*.py")}
    assert whole <= standing_on(PLUGINS / "modules" / "image_set.py")


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what is there, under a name of its own."""
    copy = tmp_path / "copied"
    for name in {name for names in judging.DECIDING.values() for name in names}:
        place = copy / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".py"):
            shutil.copy(MODULE_UTILS / name, place)
        else:
            shutil.copytree(MODULE_UTILS / name, place)
    for directory in {copy, *(path.parent for path in copy.rglob("*.py"))}:
        (directory / "__init__.py").touch()
    monkeypatch.setattr(judging, "_HOME", "copied")
    monkeypatch.syspath_prepend(str(tmp_path))
    return copy


def digests() -> dict[str, str]:
    for name in [name for name in sys.modules if name.partition(".")[0] == "copied"]:
        del sys.modules[name]
    judging.judging_files.cache_clear()
    return {gate: judging.judging_files(gate) for gate in CAPABILITIES}


@pytest.mark.parametrize(
    ("file", "gates"),
    [
        ("audit/secret_scan.py", {"audit"}),
        ("image/contents.py", {"audit"}),
        ("trial/verdicts.py", {"trial"}),
        ("expression.py", {"trial"}),
    ],
)
def test_another_content_of_a_file_is_another_digest(elsewhere: Path, file: str, gates: set[str]) -> None:
    before = digests()
    with open(elsewhere / file, "a") as stream:
        stream.write("# more\n")
    after = digests()
    assert {gate for gate in CAPABILITIES if before[gate] != after[gate]} == gates


def test_another_version_of_what_finds_secrets_is_another_digest(
    elsewhere: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = digests()
    (tmp_path / "detect_secrets").mkdir()
    (tmp_path / "detect_secrets" / "__init__.py").touch()
    (tmp_path / "detect_secrets" / "__version__.py").write_text("VERSION = '99'\n")
    kept: dict[str, t.Any] = {name: found for name, found in sys.modules.items() if name.startswith("detect_secrets")}
    for name in kept:
        monkeypatch.delitem(sys.modules, name)
    after = digests()
    assert {gate for gate in CAPABILITIES if before[gate] != after[gate]} == {"audit"}
