# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What an engine tells while it pushes, as a line a layer. No I/O."""

from __future__ import annotations

import typing as t

SECONDS_BETWEEN = 5.0
_DONE = {"Pushed": "pushed", "Layer already exists": "existing"}
_MOUNTED = "Mounted from "
_MEGABYTE = 1000000.0


class PushProgress:
    """Takes the events of the engine's API (C(POST /images/{name}/push)), hands on lines, and keeps the outcome.

    :param show: takes a line.
    :param clock: seconds; a layer on its way is told of every C(SECONDS_BETWEEN) at most.
    """

    def __init__(self, name: str, show: t.Callable[[str], None], clock: t.Callable[[], float]) -> None:
        self._name = name
        self._show = show
        self._clock = clock
        self._told: t.Dict[str, float] = {}
        self._sizes: t.Dict[str, int] = {}
        self._layers: t.Dict[str, str] = {}
        self.digest: t.Optional[str] = None
        self.error: t.Optional[str] = None

    def take(self, event: t.Mapping[str, t.Any]) -> None:
        """Take one event."""
        if event.get("error") or event.get("errorDetail"):
            self.error = str(event.get("error") or event["errorDetail"].get("message"))
            return
        digest = (event.get("aux") or {}).get("Digest")
        if digest:
            self.digest = str(digest)
        layer, status = event.get("id"), event.get("status") or ""
        if not layer:
            return
        self._layers.setdefault(layer, "waiting")
        if status == "Pushing":
            self._on_its_way(layer, event.get("progressDetail") or {})
        elif status in _DONE or status.startswith(_MOUNTED):
            self._done(layer, _DONE.get(status, "mounted"), status)

    def _on_its_way(self, layer: str, detail: t.Mapping[str, t.Any]) -> None:
        current, total = detail.get("current") or 0, detail.get("total") or 0
        self._sizes[layer] = max(current, self._sizes.get(layer, 0))
        now = self._clock()
        # A layer's first event starts its time, so that one that is through at once makes one line.
        if now - self._told.setdefault(layer, now) >= SECONDS_BETWEEN:
            self._told[layer] = now
            of_total = " of %.1f" % (total / _MEGABYTE) if total else ""
            self._show("%s: layer %s: %.1f%s MB" % (self._name, layer, current / _MEGABYTE, of_total))

    def _done(self, layer: str, outcome: str, status: str) -> None:
        if self._layers[layer] == outcome:
            return
        self._layers[layer] = outcome
        if outcome == "existing":  # said once for all of them, by summary
            return
        size = self._sizes.get(layer, 0)
        sized = " (%.1f MB)" % (size / _MEGABYTE) if size else ""
        self._show("%s: layer %s %s%s" % (self._name, layer, status[:1].lower() + status[1:], sized))

    @property
    def layers(self) -> t.Dict[str, int]:
        """How many layers were pushed, mounted from another repository, and existing in the registry."""
        outcomes = list(self._layers.values())
        return {outcome: outcomes.count(outcome) for outcome in ("pushed", "mounted", "existing")}

    @property
    def summary(self) -> str:
        """As in 'layers: 2 pushed, 0 mounted, 3 existing'.."""
        return "layers: %(pushed)d pushed, %(mounted)d mounted, %(existing)d existing" % self.layers
