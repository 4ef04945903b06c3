# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The base image's root file system, without debootstrap itself: what becomes of its tree, and of its failures."""

from __future__ import annotations

import importlib.util
import os
import shlex
import sys
import tarfile
from pathlib import Path
from types import ModuleType

import pytest
from shop_processes import SHOP


@pytest.fixture
def rootfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    specification = importlib.util.spec_from_file_location("rootfs", SHOP / "base" / "rootfs.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return module


def tree(root: Path, order: list[str], moment: int) -> Path:
    for name in order:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")
        path.chmod(0o640)
        os.utime(path, (moment, moment))
    (root / "link").symlink_to("b/c")
    return root


def test_the_tar_depends_on_content_alone(rootfs: ModuleType, tmp_path: Path) -> None:
    names = ["b/c", "a", "b/é", "z"]
    rootfs.pack(tree(tmp_path / "one", names, 1_000_000_000), tmp_path / "one.tar")
    rootfs.pack(tree(tmp_path / "two", names[::-1], 1_700_000_000), tmp_path / "two.tar")
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()
    (tmp_path / "two" / "a").chmod(0o755)
    rootfs.pack(tmp_path / "two", tmp_path / "two.tar")
    assert (tmp_path / "one.tar").read_bytes() != (tmp_path / "two.tar").read_bytes()
    with tarfile.open(tmp_path / "two.tar") as archive:
        assert archive.getmember("link").linkname == "b/c"
        assert archive.getmember("a").mode == 0o755


def test_the_cached_tar_is_placed_once(
    rootfs: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made: list[Path] = []

    def make(tar: Path, mirror: str) -> None:
        made.append(tar)
        tar.write_bytes(b"content")

    monkeypatch.setattr(rootfs, "make", make)
    output = tmp_path / "context" / "rootfs.tar"
    output.parent.mkdir()
    expected = ["made", "already in place", "from the cache"]
    for word in expected:
        if word == "from the cache":
            output.unlink()
        assert rootfs.main(["--output", str(output)]) == 0
        assert word in capsys.readouterr().out
        assert output.read_bytes() == b"content"
    assert len(made) == 1
    assert made[0].parent == tmp_path / "cache" / "longshore" / "images"
    assert [path.name for path in output.parent.iterdir()] == ["rootfs.tar"]


def test_a_failure_is_told_and_leaves_nothing(
    rootfs: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(target: Path, mirror: str) -> None:
        (target / "half").write_text("done", encoding="utf-8")
        raise rootfs.RootfsError(f"debootstrap from {mirror} failed")

    monkeypatch.setattr(rootfs, "debootstrap", fail)
    assert rootfs.main(["--mirror", "http://nowhere", "--output", str(tmp_path / "rootfs.tar")]) == 1
    assert "debootstrap from http://nowhere failed" in capsys.readouterr().err
    left = [path.name for path in (tmp_path / "cache" / "longshore" / "images").iterdir()]
    assert left == ["shop-base.lock"]


def test_the_leftover_of_a_killed_run_is_swept(
    rootfs: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = tmp_path / "cache" / "longshore" / "images"
    leftover = images / "shop-base.killed.partial" / "root"
    leftover.mkdir(parents=True)

    monkeypatch.setattr(rootfs, "debootstrap", lambda target, mirror: None)
    monkeypatch.setattr(rootfs, "clean", lambda root: None)
    assert rootfs.main(["--output", str(tmp_path / "rootfs.tar")]) == 0
    assert not leftover.parent.exists()


def test_cleaning_keeps_mount_points_and_drops_what_tells_the_machine(
    rootfs: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("proc", "dev/pts", "var/log/apt", "usr/lib/python3/__pycache__", "etc"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("etc/hostname", "etc/resolv.conf", "var/log/apt/history.log", "usr/lib/python3/__pycache__/a.pyc"):
        (tmp_path / name).write_text("here", encoding="utf-8")
    monkeypatch.setattr(
        rootfs.subprocess, "run", lambda *arguments, **options: None
    )  # there is no Python to compile with
    rootfs.clean(tmp_path)
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")}
    assert left == {"proc", "dev", "etc", "usr", "usr/lib", "usr/lib/python3", "var", "var/log"}


def test_who_is_not_root_is_told_a_command_whose_tar_is_found_afterwards(
    rootfs: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rootfs.os, "geteuid", lambda: 1000)
    assert rootfs.main(["--output", str(tmp_path / "rootfs.tar")]) == 1
    *_words, command = capsys.readouterr().err.split("Run once: ")
    sudo, env, cache, python, script = shlex.split(command)
    assert (sudo, env, Path(python).name, script) == ("sudo", "env", Path(sys.executable).name, rootfs.__file__)
    name, directory = cache.split("=")
    monkeypatch.setenv(name, directory)
    assert rootfs.cache_directory() == tmp_path / "cache" / "longshore" / "images"
