# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of a registry's host are written in one call, and copies of what they replace are kept until it has ended."""

from __future__ import annotations

import os
import stat
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed, Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry import host_copies
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_files import group_name, user_name
from ansible_collections.longshore.delivery.plugins.module_utils.registry.registry_host_files import CAPABILITY

SECRET = "hunter2-very-secret"
OURS = {"owner": user_name(os.getuid()), "group": group_name(os.getgid())}
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="owners are root's to change")


def file(path: Path, **more: t.Any) -> dict[str, t.Any]:
    return {
        "path": str(path),
        "kind": "file",
        "mode": "0644",
        "sha256": "",
        "read_by": "",
        "mark": "",
        "needed": False,
        **OURS,
        **more,
    }


def put(
    *files: dict[str, t.Any],
    texts: dict[Path, str] | None = None,
    secret: dict[Path, str] | None = None,
    check: bool = False,
    diff: bool = True,
) -> dict[str, t.Any]:
    given = {
        "files": list(files),
        "texts": [{"path": str(path), "text": text} for path, text in (texts or {}).items()],
        "secret_files": [{"path": str(path), "text": text} for path, text in (secret or {}).items()],
    }
    return CAPABILITY.run(given, Context(check, diff, print, print, lambda *given, **more: Completed(127, "", "")))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def _as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)


def test_what_is_missing_is_made_in_order_and_a_second_time_nothing_is(tmp_path: Path) -> None:
    directory = tmp_path / "etc" / "registry"
    configuration, login, log, stays = (directory / name for name in ("config.yml", "login", "log", "stays"))
    files = (
        file(directory, kind="directory", mode="0755"),
        file(configuration),
        file(login, mode="0600"),
        file(log, mode="0640", needed=True),
        file(stays),
        file(tmp_path / "left", kind="absent", mark="# ours"),
    )
    given: dict[str, t.Any] = {"texts": {configuration: "a: \u00e4\n"}, "secret": {login: SECRET}}
    (tmp_path / "left").write_text("# ours")
    rehearsed = put(*files, check=True, **given)
    assert not directory.exists()
    done = put(*files, **given)
    assert done == rehearsed
    assert done["written"] == [str(path) for path in (directory, configuration, login, log)]
    assert done["changed"] is True
    assert (configuration.read_text(), login.read_text(), log.read_text()) == ("a: \u00e4\n", SECRET, "")
    assert [mode(path) for path in (directory, configuration, login, log)] == [0o755, 0o644, 0o600, 0o640]
    assert not stays.exists(), "its content does not count, and it is not needed"
    assert (tmp_path / "left").exists(), "removed at its own time"
    assert SECRET not in str(done["diff"])
    assert {
        "before_header": str(configuration),
        "after_header": str(configuration),
        "before": "",
        "after": "a: \u00e4\n",
    } in done["diff"]
    log.write_text("a line")
    assert put(*files, **given) == {"changed": False, "written": [], "diff": []}
    assert log.read_text() == "a line"


def test_what_is_another_is_written_anew_and_shown(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("before\n")
    one.chmod(0o666)
    other.write_text("as it is\n")
    other.chmod(0o600)
    inode = other.stat().st_ino
    done = put(file(one), file(other), texts={one: "after\n"})
    assert done["written"] == [str(one), str(other)]
    assert (one.read_text(), mode(one)) == ("after\n", 0o644)
    assert (other.read_text(), mode(other), other.stat().st_ino) == ("as it is\n", 0o644, inode)
    shown = {(each["before"], each["after"]) for each in done["diff"]}
    named = f"{OURS['owner']}:{OURS['group']}"
    assert ("before\n", "after\n") in shown
    assert (f"file of {named}, mode 0600\n", f"file of {named}, mode 0644\n") in shown
    assert "diff" not in put(file(one), texts={one: "again\n"}, diff=False)


@needs_root
def test_owners_are_put_right(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(SECRET)
    os.chown(path, 65534, 65534)
    assert put(file(path, mode="0600"), secret={path: SECRET})["changed"] is True
    assert (path.stat().st_uid, path.stat().st_gid, mode(path)) == (os.getuid(), os.getgid(), 0o600)


def test_a_large_text_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "program"
    (shown,) = put(file(path), texts={path: "x" * 200_000})["diff"]
    assert "after" not in shown
    assert path.stat().st_size == 200_000


def test_what_cannot_be_is_named_with_what_was_done_before(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "no" / "such" / "second"
    with pytest.raises(DeliveryError, match="second cannot be made as wanted: No such file or directory") as caught:
        put(file(first), file(second), texts={first: "1", second: "2"})
    assert caught.value.facts == {"written": [str(first)]}
    with pytest.raises(DeliveryError, match=r"nobody-here:.*no such user or group on this host"):
        put(file(second, owner="nobody-here"), texts={second: "2"})
    with pytest.raises(DeliveryError, match="is to be a directory and is none"):
        put(file(first, kind="directory"))
    with pytest.raises(DeliveryError, match="is to have another content, which is not among texts"):
        put(file(first, sha256="0" * 64))


def test_root_alone_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(DeliveryError, match="Set 'become: true'"):
        put()


def test_copies_have_modes_and_are_for_root_alone(tmp_path: Path) -> None:
    kept, path, link = tmp_path / "kept", tmp_path / "key", tmp_path / "link"
    path.write_text(SECRET)
    path.chmod(0o640)
    os.utime(path, (1, 1))
    link.symlink_to(path)
    host_copies.keep([], str(kept))
    assert not kept.exists()
    host_copies.keep([str(path), str(link), str(tmp_path / "gone")], str(kept))
    assert mode(kept) == 0o700
    assert sorted(each.name for each in kept.iterdir()) == ["key", "link"]
    copy = kept / "key"
    assert (copy.read_text(), mode(copy), copy.stat().st_mtime) == (SECRET, 0o640, 1)
    assert not (kept / "link").is_symlink()
    host_copies.drop(str(kept))
    host_copies.drop(str(kept))
    assert not kept.exists()
