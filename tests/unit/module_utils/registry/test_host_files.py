# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the look of the role registry finds of files, and of the place for the images."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_data import Data, observe
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_files import (
    ABSENT,
    DIRECTORY,
    FILE,
    NOTHING,
    WantedFile,
    differences,
    find,
    group_name,
    has_another_content,
    misplacement,
    user_name,
    with_texts,
)

MARK = "# Written by the role"


def wanted(path: Path, kind: str = FILE, mode: str = "0644", **more: t.Any) -> WantedFile:
    return WantedFile(str(path), kind, user_name(os.getuid()), group_name(os.getgid()), mode, **more)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "file"
    made.write_text(f"{MARK}\n")
    made.chmod(0o644)
    return made


def test_a_file_is_compared_with_the_wanted_one(file: Path) -> None:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    before = time.time()
    assert differences(wanted(file, sha256=digest), find(wanted(file, sha256=digest))) == []
    file.write_text("another")
    file.chmod(0o666)
    meant = wanted(file, sha256=digest)
    found = find(meant)
    assert differences(meant, found) == [f"{file} has mode 0666", f"{file} has another content"]
    assert has_another_content(meant, found)
    assert before - 1 < found.changed_at < time.time() + 1
    assert differences(wanted(file, mode="0666"), found) == [], "the content counts only where one is wanted"
    stranger = WantedFile(str(file), FILE, "nobody", "nogroup", "0666")
    assert differences(stranger, found) == [f"{file} belongs to {user_name(os.getuid())}:{group_name(os.getgid())}"]
    assert (found.uid, found.gid, found.mode) == (os.getuid(), os.getgid(), 0o666)


def test_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "none" / "file"
    assert find(wanted(path)) == NOTHING
    assert differences(wanted(path), NOTHING) == []
    assert differences(wanted(path, sha256="0"), NOTHING) == [f"{path} is missing"]
    assert not has_another_content(wanted(path, sha256="0"), NOTHING)
    assert differences(wanted(path, DIRECTORY), NOTHING) == [f"{path} is missing"]


def test_a_text_that_is_secret_counts_as_a_digest_does(file: Path, tmp_path: Path) -> None:
    files = (wanted(tmp_path, DIRECTORY), wanted(file, needed=True), wanted(tmp_path / "none"))
    same = with_texts(files, {str(file): f"{MARK}\n"})
    assert [each.path for each in same] == [each.path for each in files], "what was found is told in this order"
    assert (same[0], same[2]) == (files[0], files[2])
    assert differences(same[1], find(same[1])) == []
    other = with_texts(files, {str(file): f"{MARK}\nsecret\n"})[1]
    assert differences(other, find(other)) == [f"{file} has another content"]
    assert has_another_content(other, find(other))
    file.unlink()
    assert differences(same[1], find(same[1])) == [f"{file} is missing"]


def test_a_file_that_is_not_wanted_goes_only_if_it_is_marked(file: Path) -> None:
    meant = wanted(file, ABSENT, mark=MARK)
    assert differences(meant, find(meant)) == [f"{file} is not wanted any more"]
    file.write_text("somebody else's\n")
    assert differences(meant, find(meant)) == []
    file.unlink()
    assert differences(meant, find(meant)) == []


def test_what_is_no_file_or_no_directory_is_in_the_way(file: Path, tmp_path: Path) -> None:
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "nowhere")
    link = tmp_path / "link"
    link.symlink_to(file)
    found = {
        misplacement(meant, find(meant))
        for meant in (wanted(file, DIRECTORY), wanted(tmp_path), wanted(dangling), wanted(file), wanted(link))
    }
    assert found == {
        "",
        f"{file} is to be a directory and is none",
        f"{tmp_path} is to be a file and is none",
        f"{dangling} is to be a file and is none",
    }


# the place for the images, as a user without rights finds it

SOMEBODY = "nobody"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="asks as another user, which takes root")


def really(argv: t.Sequence[str], directory: str | None = None, **_options: t.Any) -> Completed:
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=directory)
    return Completed(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def place() -> t.Iterator[Path]:
    """A directory that everybody can enter, unlike pytest's own, with the store of a registry that belongs to nobody."""
    made = Path(tempfile.mkdtemp())
    made.chmod(0o755)
    images = made / "images"
    (images / "docker" / "registry" / "v2" / "repositories" / "web" / "_uploads").mkdir(parents=True)
    (images / "docker" / "registry" / "v2" / "blobs" / "sha256" / "5f").mkdir(parents=True)
    for path in (images, *images.rglob("*")):
        shutil.chown(path, SOMEBODY)
        path.chmod(0o755)
    yield images
    shutil.rmtree(made)


def look(path: Path) -> Data:
    return observe(str(path), SOMEBODY, really)


@as_root
def test_a_store_that_its_user_can_write_to(place: Path) -> None:
    found = look(place)
    assert (found.stored, found.unwritable, found.closed, found.read_only) == (True, (), "", False)
    assert found.free_bytes > 0
    assert os.path.ismount(found.mount)


@as_root
@pytest.mark.parametrize("below", ["", "registry/v2/blobs/sha256/5f", "registry/v2/repositories/web/_uploads"])
def test_a_directory_that_its_user_cannot_write_to_is_named(place: Path, below: str) -> None:
    directory = place / "docker" / below
    shutil.chown(directory, "root")
    (said,) = look(place).unwritable
    assert f"{SOMEBODY} cannot write to {directory}, which belongs to root:" in said
    assert said.endswith("mode 0755")


@as_root
def test_of_many_directories_a_few_are_named(place: Path) -> None:
    for number in range(10):
        (place / "docker" / f"d{number}").mkdir()
    said = look(place).unwritable
    assert len(said) == 4
    assert said[-1] == f"{SOMEBODY} cannot write to 7 further directories there"


@as_root
def test_what_else_is_in_the_directory_is_none_of_the_registry(place: Path) -> None:
    (place / "another").mkdir()
    assert look(place).unwritable == ()


@as_root
@pytest.mark.parametrize("path", ["images", "not/there/yet"])
def test_a_way_that_its_user_may_not_go_is_named(place: Path, path: str) -> None:
    place.parent.chmod(0o700)
    assert look(place.parent / path).closed == str(place.parent)
    place.parent.chmod(0o711)
    assert look(place.parent / path).closed == ""


@as_root
def test_a_way_that_somebody_who_reads_the_images_may_not_go_is_named(place: Path) -> None:
    def unread(path: Path, reader: str = SOMEBODY) -> str:
        return observe(str(path), "root", really, in_volume=True, reader=reader).unread

    assert (unread(place), unread(place, "no-such-user"), unread(place, "")) == ("", "", "")
    place.chmod(0o700)
    assert unread(place) == "", "which the role mends"
    shutil.chown(place.parent, "root")
    place.parent.chmod(0o710)
    assert unread(place) == unread(place.parent / "not/there/yet") == str(place.parent)
    place.parent.chmod(0o711)
    place.chmod(0o755)
    closed = place / "docker/registry/v2"
    shutil.chown(closed, "root")
    closed.chmod(0o750)
    assert unread(place) == str(closed)


@as_root
def test_in_a_volume_its_user_need_not_come_there_from_the_root(place: Path) -> None:
    def look_there() -> Data:
        return observe(str(place), SOMEBODY, really, in_volume=True)

    place.parent.chmod(0o700)
    assert (look_there().closed, look_there().unwritable) == ("", ())
    blobs = place / "docker/registry/v2/blobs"
    shutil.chown(blobs, "root")
    (said,) = look_there().unwritable
    assert said.startswith(f"{SOMEBODY} cannot write to {blobs}, which belongs to root:")
    shutil.rmtree(place / "docker")
    assert (look_there().closed, look_there().unwritable) == ("", ())


def test_a_user_that_is_not_there_yet_is_not_asked(tmp_path: Path) -> None:
    def never(*_arguments: t.Any, **_options: t.Any) -> Completed:
        raise AssertionError

    found = observe(str(tmp_path / "not" / "there"), "no-such-user", never)
    assert (found.stored, found.unwritable, found.closed) == (False, (), "")


def test_a_file_system_without_limits_is_not_full() -> None:
    found = observe("/proc/1/images", "no-such-user", really)
    assert (found.mount, found.free_bytes, found.free_files) == ("/proc", -1, -1)
