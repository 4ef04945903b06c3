# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What BuildKit is given is built from, also where it would not see by itself that a file is another."""

from __future__ import annotations

import contextlib
import json
import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.build import content_hashes, sent_directory
from ansible_collections.longshore.delivery.plugins.module_utils.build.builder import BuildRequest
from ansible_collections.longshore.delivery.plugins.module_utils.build.definition import read_definition
from ansible_collections.longshore.delivery.plugins.module_utils.build.named_contexts import NamedContext
from ansible_collections.longshore.delivery.plugins.module_utils.build.sent_directory import sent

Files = dict[str, str]
JANUARY, FEBRUARY = 1767225600, 1769904000


class Receiver:
    """What receives as BuildKit does: by the link's name and the directory's, what differs in size or time."""

    def __init__(self, address: str = "unix:///engine.sock") -> None:
        self.address = address
        self.kept: dict[tuple[str, str], dict[str, tuple[int, int, str]]] = {}

    def build(self, source: Path, copies: t.Collection[str] = ("f",), **options: t.Any) -> Files:
        """What the image has of the context, and of a named one below its name; files that nothing copies are not sent."""
        with building(source, self.address, **options) as (request, given):
            files = self.receive(Path(given.root), "context", Path(given.root).name)
            for named in request.contexts:
                found = self.receive(Path(named.directory), named.name, Path(given.root).name)
                files.update({f"{named.name}/{path}": content for path, content in found.items()})
            dockerfile = Path(given.dockerfile)
            received = self.receive(dockerfile.parent, "dockerfile", Path(given.root).name)
            return {**{path: files[path] for path in copies}, "Dockerfile": received[dockerfile.name]}

    def receive(self, directory: Path, name: str, link: str) -> Files:
        kept = self.kept.setdefault((link, name), {})
        for path in directory.iterdir():
            status = path.stat()
            seen = (status.st_size, status.st_mtime_ns)
            if kept.get(path.name, ())[:2] != seen:
                kept[path.name] = (*seen, path.read_text())
        return {path: content for path, (_size, _time, content) in kept.items()}


@contextlib.contextmanager
def building(
    source: Path, address: str, contexts: tuple[NamedContext, ...] = (), inline: str | None = None
) -> t.Iterator[tuple[BuildRequest, sent_directory.Sent]]:
    definition = read_definition(str(source), "Dockerfile", inline)
    entries = {path: entry for named in contexts for path, entry in named.entries().items()}
    request = BuildRequest(
        definition.context,
        definition.path,
        definition.dockerfile,
        contexts=contexts,
        contexts_entries=entries,
        inline=definition.inline,
    )
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(request.temporary_directory())
        yield request, stack.enter_context(sent(request, directory, address))


def edit(path: Path, content: str, when: int) -> None:
    path.write_text(content)
    os.utime(path, (when, when))


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "source"
    root.mkdir()
    edit(root / "Dockerfile", "FROM base\nCOPY f /f\n", JANUARY)
    edit(root / "f", "1111", JANUARY)
    return root


def kept_links(tmp_path: Path) -> set[str]:
    return {path.name for path in (tmp_path / "cache").rglob("*") if path.is_symlink()}


def test_files_that_did_not_change_are_sent_by_the_same_path(source: Path, tmp_path: Path) -> None:
    receiver = Receiver()
    receiver.build(source)
    links = kept_links(tmp_path)
    assert len(links) == 1
    edit(source / "f", "2222", FEBRUARY)
    assert receiver.build(source)["f"] == "2222"
    edit(source / "f", "1111", JANUARY)
    assert receiver.build(source)["f"] == "1111"
    assert kept_links(tmp_path) == links


def test_what_was_read_and_not_sent_hides_no_edit(source: Path) -> None:
    """As by check mode, and by a task whose definition turns out to be wrong."""
    receiver = Receiver()
    receiver.build(source)
    edit(source / "f", "2222", FEBRUARY)
    read_definition(str(source), "Dockerfile")
    edit(source / "f", "3333", JANUARY)
    read_definition(str(source), "Dockerfile")
    assert receiver.build(source)["f"] == "3333"


def test_what_another_engine_was_sent_hides_no_edit(source: Path) -> None:
    receiver, other = Receiver(), Receiver("tcp://other.example:2376")
    receiver.build(source)
    edit(source / "f", "2222", FEBRUARY)
    assert other.build(source)["f"] == "2222"
    edit(source / "f", "3333", JANUARY)
    assert receiver.build(source)["f"] == "3333"
    assert other.build(source)["f"] == "3333"


def test_what_was_sent_before_something_else_hides_no_edit(source: Path) -> None:
    """BuildKit may keep a file of a build before the last, and is sent a file only where something copies it."""
    receiver = Receiver()
    receiver.build(source)
    kept = dict(next(found for (_link, name), found in receiver.kept.items() if name == "context"))
    edit(source / "f", "2222", FEBRUARY)
    receiver.build(source)
    for (_link, name), found in receiver.kept.items():
        if name == "context":
            found.update(kept)
    edit(source / "f", "3333", JANUARY)
    assert receiver.build(source)["f"] == "3333"


def test_an_edited_dockerfile_that_keeps_size_and_time_is_sent(source: Path) -> None:
    receiver = Receiver()
    (source / ".dockerignore").write_text("Dockerfile\n")
    receiver.build(source)
    edit(source / "Dockerfile", "FROM base\nCOPY f /g\n", JANUARY)
    assert receiver.build(source)["Dockerfile"] == "FROM base\nCOPY f /g\n"


def test_a_dockerfile_that_is_a_link_is_what_it_leads_to(source: Path) -> None:
    receiver = Receiver()
    (source / "Dockerfile").rename(source / "real")
    (source / "Dockerfile").symlink_to("real")
    (source / ".dockerignore").write_text("real\n")
    receiver.build(source)
    edit(source / "real", "FROM base\nCOPY f /g\n", JANUARY)
    assert receiver.build(source)["Dockerfile"] == "FROM base\nCOPY f /g\n"


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_named_context_is_sent_anew_likewise(source: Path, tmp_path: Path, elsewhere: bool) -> None:
    """Also where its name is another directory's now: BuildKit knows it by its name."""
    receiver = Receiver()
    first = tmp_path / "first"
    first.mkdir()
    edit(first / "f", "1111", JANUARY)
    named = NamedContext("more", str(first))
    assert receiver.build(source, ["more/f"], contexts=(named,))["more/f"] == "1111"
    second = tmp_path / "second" if elsewhere else first
    second.mkdir(exist_ok=True)
    edit(second / "f", "2222", FEBRUARY)
    named = NamedContext("more", str(second))
    named.entries()
    edit(second / "f", "3333", JANUARY)
    assert receiver.build(source, ["more/f"], contexts=(named,))["more/f"] == "3333"


def test_a_build_that_is_cut_off_or_whose_files_change_is_followed_by_one_that_sends_all(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it sent is not known."""
    receiver = Receiver()
    receiver.build(source)
    with pytest.raises(KeyboardInterrupt), building(source, receiver.address):
        raise KeyboardInterrupt
    receiver.build(source)
    assert len(kept_links(tmp_path)) == 2
    for settled in (content_hashes.SETTLED, 0):
        monkeypatch.setattr(content_hashes, "SETTLED", settled)
        edit(source / "f", "1111", JANUARY)
        links = kept_links(tmp_path)
        with building(source, receiver.address) as (_request, given):
            edit(source / "f", "2222", JANUARY)
            receiver.receive(Path(given.root), "context", Path(given.root).name)
        edit(source / "f", "1111", JANUARY)
        assert receiver.build(source)["f"] == "1111"
        assert len(kept_links(tmp_path)) > len(links)


def test_builds_at_the_same_time_have_paths_of_their_own_and_keep_them(source: Path, tmp_path: Path) -> None:
    for _again in range(2):
        with building(source, "unix:///e") as (_request, one), building(source, "unix:///e") as (_other_request, other):
            assert one.root != other.root
        assert kept_links(tmp_path) == {Path(one.root).name, Path(other.root).name}


def test_an_inline_dockerfile_keeps_the_path(source: Path, tmp_path: Path) -> None:
    receiver = Receiver()
    for content in ("FROM base\n", "FROM other\n"):
        assert receiver.build(source, inline=content)["Dockerfile"] == content
    assert len(kept_links(tmp_path)) == 1


def test_a_record_that_is_broken_or_grew_too_long_is_none(source: Path, tmp_path: Path) -> None:
    receiver = Receiver()
    receiver.build(source)
    (record,) = (tmp_path / "cache").rglob("*.*.*.json")
    document = json.loads(record.read_text())
    many = {f":{number}": {"1 1": "x"} for number in range(2000)}
    broken = [b"broken", json.dumps({**document, "files": {":f": 1}}).encode()]
    for content in [*broken, json.dumps({**document, "files": many}).encode()]:
        (record,) = (tmp_path / "cache").rglob("*.*.*.json")
        record.write_bytes(content)
        links = kept_links(tmp_path)
        receiver.build(source)
        assert len(kept_links(tmp_path) - links) == 1


def test_links_that_nobody_used_for_a_month_go_with_their_records(source: Path, tmp_path: Path) -> None:
    receiver, other = Receiver(), Receiver("tcp://other.example:2376")
    receiver.build(source)
    (link,) = (path for path in (tmp_path / "cache").rglob("*") if path.is_symlink())
    record = Path(f"{link}.json")
    assert record.exists()
    other.build(source)
    assert record.exists()
    os.utime(link, (1, 1), follow_symlinks=False)
    other.build(source)
    assert not record.exists()
    assert not link.is_symlink()


def test_without_a_cache_every_build_has_a_path_of_its_own(source: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("no directory")
    receiver = Receiver()
    receiver.build(source)
    edit(source / "f", "2222", JANUARY)
    with building(source, receiver.address) as (_request, given):
        assert not given.root.startswith(str(tmp_path / "cache"))
        assert Path(given.root).resolve() == source
