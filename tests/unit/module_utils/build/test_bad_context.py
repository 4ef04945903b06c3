# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A build's directory that cannot be read, or not as it was a moment before."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.build import context
from ansible_collections.longshore.delivery.plugins.module_utils.build.content_hashes import ContentHashes
from ansible_collections.longshore.delivery.plugins.module_utils.build.context import BuildContext, UnreadableContext
from ansible_collections.longshore.delivery.plugins.module_utils.build.definition import read_definition
from ansible_collections.longshore.delivery.plugins.module_utils.build.dockerignore import parse
from ansible_collections.longshore.delivery.plugins.module_utils.build.inputs import Inputs, Recorded, why_different
from ansible_collections.longshore.delivery.plugins.module_utils.build.private_files import read_json
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError

NOBODY = 65534


@pytest.fixture
def root() -> Iterator[Path]:
    """A directory below ones that everybody may look into."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        root.chmod(0o755)
        (root / "deep").mkdir()
        (root / "deep" / "file").write_text("x")
        yield root


def read(root: Path, rules: str = "") -> BuildContext:
    return context.read(str(root), parse(rules), ContentHashes(str(root)))


@contextlib.contextmanager
def without_privilege() -> Iterator[None]:
    """Root may read everything: for a moment be somebody else."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_path_that_is_too_long_can_be_shortened(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "d" * 250
    with monkeypatch.context() as patch:
        patch.chdir(root)
        for _ in range(17):
            os.mkdir(name)
            os.chdir(name)
    try:
        with pytest.raises(UnreadableContext, match=r"d has a path of 4\d{3} bytes.*Shorten its name"):
            read(root)
        read(root, name)
    finally:
        shutil.rmtree(root)


def test_a_name_in_a_message_does_nothing_to_the_terminal(root: Path) -> None:
    os.mkfifo(root / "a\n\x1b[2K")
    with pytest.raises(UnreadableContext, match=r"/a\\n\\x1b\[2K is a FIFO"):
        read(root)


@pytest.mark.parametrize("what", ["deep", "deep/file"])
def test_what_may_not_be_read_is_named_and_may_be_left_out(root: Path, what: str) -> None:
    (root / what).chmod(0)
    try:
        with without_privilege():
            with pytest.raises(
                UnreadableContext, match=f"{what} cannot be read: Permission denied. Make it readable, or name"
            ):
                read(root)
            read(root, what)
    finally:
        (root / what).chmod(0o700)


def meddling(monkeypatch: pytest.MonkeyPatch, meddle: Callable[[], object]) -> None:
    """Do something when a file is hashed, which is in the midst of the walk."""
    original = ContentHashes.of_file

    def of_file(self: ContentHashes, *arguments: Any) -> str:
        meddle()
        return original(self, *arguments)

    monkeypatch.setattr(ContentHashes, "of_file", of_file)


def test_what_goes_away_while_it_is_read_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meddling(monkeypatch, lambda: shutil.rmtree(root / "deep"))
    with pytest.raises(
        UnreadableContext, match=rf"{root}/deep/file went away while the build's directory {root} was read\."
    ):
        read(root)
    shutil.rmtree(root)
    with pytest.raises(UnreadableContext, match=f"{root} went away while"):
        read(root)
    root.mkdir()


@pytest.mark.parametrize(
    "become", [lambda path: path.write_text("longer"), lambda path: path.symlink_to("/etc/passwd")]
)
def test_what_becomes_another_while_it_is_read_is_named(
    root: Path, monkeypatch: pytest.MonkeyPatch, become: Callable[[Path], object]
) -> None:
    path = root / "deep" / "file"

    def meddle() -> None:
        path.unlink()
        become(path)

    meddling(monkeypatch, meddle)
    with pytest.raises(UnreadableContext, match=rf"{path} (changed|went away) while .*Run it again when nothing"):
        read(root)


def test_a_socket_is_left_out_a_fifo_and_a_device_are_refused(root: Path) -> None:
    before = read(root).entries
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(root / "socket"))
        assert read(root).entries == before
    os.mkfifo(root / "pipe")
    with pytest.raises(UnreadableContext, match=r"pipe is a FIFO, which no image can hold\. Name it in \.dockerignore"):
        read(root)
    assert read(root, "pipe").entries == before
    if os.geteuid() == 0:
        (root / "pipe").unlink()
        os.mknod(root / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        with pytest.raises(UnreadableContext, match="null is a device, which no"):
            read(root)


def test_a_tree_may_be_deeper_than_calls_may(root: Path) -> None:
    here = os.getcwd()
    os.chdir(root)
    try:
        for _level in range(600):
            os.mkdir("d")
            os.chdir("d")
    finally:
        os.chdir(here)
    assert len(read(root).entries) == 600 + 2


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("deep/file", "deep/file"),
        ("link/file", "deep/file"),
        ("out", "etc/passwd"),  # for BuildKit the directory is the root of all
        ("above/deep/file", "deep/file"),
        ("circle/x", "circle/x"),
        ("chain/file", "deep/file"),
        ("none/../deep", "deep"),
    ],
)
def test_links_are_followed_within_the_directory(root: Path, path: str, found: str) -> None:
    for name, target in {
        "link": "deep",
        "out": "/etc/passwd",
        "above": "../..",
        "circle": "circle",
        "chain": "above/link",
    }.items():
        (root / name).symlink_to(target)
    assert read(root).resolve(path) == found
    assert read(root).holds(path) is (found not in ("etc/passwd", "circle/x"))


def test_a_link_that_leads_to_nothing_is_named_with_where_it_leads(root: Path) -> None:
    (root / "current").symlink_to("releases/7")
    (root / "Dockerfile").write_text("FROM scratch\nCOPY current/app /app\n")
    definition = read_definition(str(root), "Dockerfile")
    with pytest.raises(
        DeliveryError, match=f"current/app leads by a link to {root}/releases/7/app, which is not there"
    ):
        definition.check_copies(definition.stages({}, ""))
    (root / "Dockerfile").unlink()
    (root / "Dockerfile").symlink_to("none/Dockerfile")
    with pytest.raises(DeliveryError, match="Dockerfile is a link to none/Dockerfile, which is not there"):
        read_definition(str(root), "Dockerfile")


def test_names_that_are_no_utf_8_are_read_kept_and_shown(root: Path, tmp_path: Path) -> None:
    for path in (b"a\xff", b"d\xe9"):
        os.mkdir(os.path.join(os.fsencode(root), path))
        Path(os.fsdecode(os.path.join(os.fsencode(root), path, b"f\xfe"))).write_text("x")
    os.symlink(b"t\xff", os.path.join(os.fsencode(root), b"link"))
    cache = str(tmp_path / "cache.json")
    for _time in range(2):
        hashes = ContentHashes(str(root), cache)
        found = context.read(str(root), parse("d*"), hashes)
        hashes.save()
        assert {os.fsencode(path) for path in found.entries} == {b"a\xff", b"a\xff/f\xfe", b"link"}
        assert os.fsencode(found.entries["link"]) == b"link t\xff"
    kept = read_json(cache)["files"]
    assert [os.fsencode(path) for path in kept] == [b"a\xff/f\xfe"]
    before, after = Inputs({"context": {}}), Inputs({"context": found.entries})
    assert why_different(Recorded.of(before.labels()), after, before) == [
        "the context changed: a\\xff added, a\\xff/f\\xfe added, link added"
    ]
    os.mkfifo(os.path.join(os.fsencode(root), b"p\xff"))
    with pytest.raises(UnreadableContext, match=r"/p\\xff is a FIFO"):
        read(root)


def test_an_empty_directory_is_a_context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "source").mkdir()
    definition = read_definition(str(tmp_path / "source"), "Dockerfile", "FROM scratch\nCOPY . /\n")
    definition.check_copies(definition.stages({}, ""))
    assert definition.context.entries == {}
    with pytest.raises(DeliveryError, match=r"There is no Dockerfile at .*/source/Dockerfile\. Correct 'dockerfile'"):
        read_definition(str(tmp_path / "source"), "Dockerfile")
