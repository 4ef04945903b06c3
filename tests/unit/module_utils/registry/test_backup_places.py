# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A backup that is another registry's, or whose disk is not mounted, is not written to."""

from __future__ import annotations

import platform
import shutil

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.backup_places import NOTE

from .kept_place import Kept
from .test_registry_restore import kept

__all__ = ["kept"]  # the fixture


def test_that_one_is_begun_is_said_once(kept: Kept) -> None:
    (said,) = kept.warnings
    assert said.startswith(f"{kept.directory} holds no backup of a registry yet: one is begun there")
    assert not kept.back_up()["changed"]
    assert kept.warnings == [said]


@pytest.mark.parametrize("check", [True, False])
def test_a_disk_that_is_not_mounted_is_no_new_backup(kept: Kept, check: bool) -> None:
    shutil.rmtree(kept.directory)
    kept.directory.mkdir()
    with pytest.raises(
        DeliveryError, match="had a backup of this registry and has none now: perhaps its disk"
    ) as caught:
        kept.back_up(check=check)
    assert not list(kept.directory.iterdir())
    note = kept.written.root / NOTE
    assert str(note) in str(caught.value)
    note.write_text("")  # the way out
    kept.back_up()
    assert note.read_text() == f"{kept.directory}\n"


def test_that_of_another_host_is_left_alone(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = platform.node()
    before = kept.snapshots()
    kept.written.tag("shop/new", "1", kept.written.image("shop/new", b"new"))
    monkeypatch.setattr(platform, "node", lambda: "other.example")
    with pytest.raises(
        DeliveryError, match=f"is the backup of {kept.written.root} on {ours}, and this is .* on other.example"
    ):
        kept.back_up()
    assert kept.snapshots() == before
    (kept.directory / "of").unlink()  # the way out, after a move
    kept.back_up()
    assert len(kept.snapshots()) == 2


def test_one_of_before_this_was_noted_is_taken_over(kept: Kept) -> None:
    (kept.directory / "of").unlink()
    (kept.written.root / NOTE).unlink()
    assert not kept.back_up()["changed"]
    assert (kept.directory / "of").read_text() == f"{kept.written.root} on {platform.node()}\n"
