# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Layers one above the other."""

from __future__ import annotations

import tarfile
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.audit.merged import Change, Hidden, merge

from .made import Content, layer, link


def merged(*layers: dict[str, Content]) -> t.Any:
    return merge([layer(files) for files in layers])


def test_added_changed_and_deleted_are_counted_in_files() -> None:
    found = merged(
        {"d": None, "d/kept": b"1", "d/changed": b"22", "d/gone": b"333"},
        {"d": None, "d/changed": b"2", "d/.wh.gone": b"", "new": b"4"},
    )
    assert found.changes == (Change(added=3), Change(added=1, changed=1, deleted=1))
    assert found.visible == {"d/kept": 0, "d/changed": 1, "new": 1}
    assert sorted(found.hidden, key=lambda file: file.path) == [
        Hidden("d/changed", 2, 0, 1, deleted=False),
        Hidden("d/gone", 3, 0, 1, deleted=True),
    ]
    assert found.wasted_bytes == 5


def test_a_deleted_directory_takes_all_below_with_it() -> None:
    found = merged({"d/a": b"1", "d/e/b": b"22", "x": b""}, {".wh.d": b""})
    assert found.changes[1] == Change(deleted=2)
    assert found.wasted_bytes == 3
    assert found.visible == {"x": 0}


def test_an_opaque_directory_hides_what_is_below_and_not_its_own() -> None:
    """Wherever in the archive the mark stands: it concerns the layers below alone."""
    for second in (
        {"d/new": b"1", "d/.wh..wh..opq": b""},
        {"d/.wh..wh..opq": b"", "d/new": b"1"},
    ):
        found = merged({"d/old": b"22", "d/e/older": b"333", "out": b""}, t.cast("dict[str, Content]", second))
        assert found.visible == {"d/new": 1, "out": 0}
        assert found.changes[1] == Change(added=1, deleted=2)
        assert found.wasted_bytes == 5


def test_a_whiteout_beside_the_path_it_names_leaves_the_new_one() -> None:
    found = merged({"a": b"22"}, {"a": b"1", ".wh.a": b""})
    assert found.visible == {"a": 1}
    assert found.wasted_bytes == 2


def test_an_opaque_root_hides_everything() -> None:
    found = merged({"a": b"1", "d/b": b"22"}, {".wh..wh..opq": b"", "c": b""})
    assert found.visible == {"c": 1}
    assert found.wasted_bytes == 3


@pytest.mark.parametrize("path", ["gone", "d/gone", "d", ""])
def test_deleting_what_is_not_there_is_nothing(path: str) -> None:
    name = "%s/.wh.%s" % (path.rpartition("/")[0], path.rpartition("/")[2] or "x")
    assert merged({"a": b"1"}, {name: b""}).changes[1] == Change()


def test_a_file_in_the_place_of_a_directory_and_the_other_way_round() -> None:
    found = merged({"d/a": b"1", "d/b": b"22", "f": b"333"}, {"d": b"4", "f/in": b"5"})
    assert found.visible == {"d": 1, "f/in": 1}
    assert found.changes[1] == Change(added=2, deleted=3)
    assert found.wasted_bytes == 6


def test_a_file_deleted_and_made_again_is_wasted_once_for_each_layer_that_ships_it() -> None:
    found = merged({"a": b"1"}, {".wh.a": b""}, {"a": b"22"}, {"a": b"333"})
    assert [(file.layer, file.by, file.size) for file in found.hidden] == [(0, 1, 1), (2, 3, 2)]
    assert found.visible == {"a": 3}


def test_a_link_in_the_place_of_a_file_hides_it() -> None:
    found = merged({"a": b"22"}, {"a": link(tarfile.SYMTYPE, "b")})
    assert found.changes[1] == Change(changed=1)
    assert found.wasted_bytes == 2


def test_a_directory_written_again_changes_no_file() -> None:
    found = merged({"d": None, "d/a": b"1"}, {"d": None})
    assert found.changes[1] == Change()
    assert found.visible == {"d/a": 0}


def test_bytes_with_several_names_are_wasted_when_the_last_is_hidden() -> None:
    below: dict[str, Content] = {
        "a": b"333",
        "b": link(tarfile.LNKTYPE, "a"),
        "d/c": link(tarfile.LNKTYPE, "./b"),
    }
    found = merged(below, {".wh.a": b""})
    assert (found.wasted_bytes, found.visible) == (0, {"b": 0, "d/c": 0})
    found = merged(below, {".wh.a": b""}, {".wh.d": b""}, {"b": b"1"})
    assert [(file.path, file.size, file.by) for file in found.hidden] == [("a", 0, 1), ("d/c", 0, 2), ("b", 3, 3)]
    assert found.wasted_bytes == 3
    again = merged(below, {"a": b"4444", "b": link(tarfile.LNKTYPE, "a")}, {".wh.d": b""}, {".wh.a": b""})
    assert again.wasted_bytes == 3
    assert again.changes[1] == Change(changed=2)


def test_a_link_to_a_layer_below_or_to_nothing_is_counted_as_far_as_it_goes() -> None:
    below: dict[str, Content] = {"a": b"333"}
    further: dict[str, Content] = {"b": link(tarfile.LNKTYPE, "a"), "lost": link(tarfile.LNKTYPE, "nowhere")}
    assert merged(below, further, {".wh.a": b"", ".wh.lost": b""}).wasted_bytes == 0
    assert merged(below, further, {".wh.a": b"", ".wh.b": b""}).wasted_bytes == 3
    assert merged({"a": link(tarfile.LNKTYPE, "a")}).visible == {}
