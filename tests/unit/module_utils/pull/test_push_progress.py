# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The events of pushes, as engines of both image stores sent them."""

from __future__ import annotations

import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.pull.push_progress import PushProgress

DIGEST = "sha256:27fdf3a67f5cf1fbcc98cf41c383fd0bc59623895078d2823341f0a9d776cd94"


def pushing(layer: str, current: int, total: int) -> dict[str, t.Any]:
    return {
        "status": "Pushing",
        "id": layer,
        "progressDetail": {"current": current, "total": total},
        "progress": "[=>]",
    }


def status(layer: str, text: str) -> dict[str, t.Any]:
    return {"status": text, "progressDetail": {}, "id": layer}


class Watched:
    """A PushProgress with the lines it showed, and a clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.lines: list[str] = []
        self.progress = PushProgress("shop/web:1", self.lines.append, lambda: self.now)

    def take(self, *events: dict[str, t.Any], seconds: float = 0.0) -> None:
        for event in events:
            self.now += seconds
            self.progress.take(event)


def test_a_line_a_layer() -> None:
    watched = Watched()
    watched.take(
        {"status": "The push refers to repository [127.0.0.1:25000/shop/web]"},
        *[status(layer, "Preparing") for layer in ("aaa", "bbb", "ccc", "ddd")],
        status("ddd", "Waiting"),
        status("ccc", "Layer already exists"),
        status("bbb", "Mounted from base/python"),
        *[pushing("aaa", part * 100_000, 3_000_000) for part in range(31)],
        status("aaa", "Pushed"),
        status("aaa", "Pushed"),
        pushing("ddd", 512, 0),
        status("ddd", "Pushed"),
        {"status": f"1: digest: {DIGEST} size: 1234"},
        {"progressDetail": {}, "aux": {"Tag": "1", "Digest": DIGEST, "Size": 1234}},
    )
    assert watched.lines == [
        "shop/web:1: layer bbb mounted from base/python",
        "shop/web:1: layer aaa pushed (3.0 MB)",
        "shop/web:1: layer ddd pushed (0.0 MB)",
    ]
    assert watched.progress.layers == {"pushed": 2, "mounted": 1, "existing": 1}
    assert watched.progress.summary == "layers: 2 pushed, 1 mounted, 1 existing"
    assert watched.progress.digest == DIGEST
    assert watched.progress.error is None


def test_a_large_layer_shows_that_it_moves_but_does_not_flood() -> None:
    watched = Watched()
    watched.take(*[pushing("aaa", part * 1_000_000, 300_000_000) for part in range(100)], seconds=0.125)
    assert watched.lines == [
        "shop/web:1: layer aaa: 40.0 of 300.0 MB",
        "shop/web:1: layer aaa: 80.0 of 300.0 MB",
    ]


def test_a_layer_in_its_last_state_counts_once() -> None:
    watched = Watched()
    watched.take(status("aaa", "Layer already exists"), status("aaa", "Layer already exists"))
    assert watched.progress.layers == {"pushed": 0, "mounted": 0, "existing": 1}


def test_errors_in_both_their_shapes() -> None:
    for event in ({"errorDetail": {"message": "denied"}, "error": "denied"}, {"errorDetail": {"message": "denied"}}):
        watched = Watched()
        watched.take(event)
        assert watched.progress.error == "denied"
