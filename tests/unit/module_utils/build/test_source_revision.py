# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What git says of a directory."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.build.source_revision import (
    REVISION,
    SOURCE,
    NoRevision,
    revision_labels,
)
from ansible_collections.longshore.delivery.plugins.module_utils.running import run_command


def git(root: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *who, *arguments], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A directory in a repository with one commit."""
    root = tmp_path / "source"
    root.mkdir()
    (root / "a").touch()
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "one")
    return root


def test_a_revision_is_dirty_when_something_in_the_directory_is_not_committed(source: Path) -> None:
    revision = git(source, "rev-parse", "HEAD")
    assert revision_labels(str(source), run_command) == {REVISION: revision}
    (source.parent / "beside").touch()
    assert revision_labels(str(source), run_command) == {REVISION: revision}
    (source / "new").touch()
    assert revision_labels(str(source), run_command) == {REVISION: f"{revision}-dirty"}
    (source / "new").unlink()
    (source / "a").write_text("x")
    assert revision_labels(str(source), run_command) == {REVISION: f"{revision}-dirty"}


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("https://name:secret@git.example/shop/web.git", "https://git.example/shop/web.git"),
        ("https://token@git.example:8443/web", "https://git.example:8443/web"),
        ("ssh://git@git.example/web.git", "ssh://git.example/web.git"),
        ("git@git.example:shop/web.git", "git.example:shop/web.git"),
        ("/srv/git/web.git", None),
        ("../web", None),
        ("file:///srv/git/web.git", None),
        ("https://[git.example/web", None),
    ],
)
def test_the_address_has_no_login_and_is_no_path_of_this_machine(
    source: Path, remote: str, address: str | None
) -> None:
    git(source, "remote", "add", "origin", remote)
    assert revision_labels(str(source), run_command).get(SOURCE) == address


def test_what_keeps_git_from_telling_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(NoRevision, match=r"no revision of .* It said: fatal: not a git repository"):
        revision_labels(str(tmp_path), run_command)
    git(tmp_path, "init", "--quiet")
    with pytest.raises(NoRevision, match=r"It said: fatal: Needed a single revision\. Commit it"):
        revision_labels(str(tmp_path), run_command)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoRevision, match="the program git, which tells it, is not in PATH"):
        revision_labels(str(tmp_path), run_command)
