# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What BuildKit reports while it builds (C(--progress=rawjson)): steps, their output, and the one that failed."""

from __future__ import annotations

import base64
import datetime
import json
import math
import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.record import Record, Step, shortened

_NUMBERED = re.compile(r"\[((?:\S+ +)*) *(\d+)/\d+\]")


class BuildRecord(Record):
    """Follows a build line by line.

    :param show: is given a line for each step that begins to run a command or ends.
    """

    def __init__(self, show: t.Callable[[str], None]) -> None:
        super().__init__(show)
        self._object: t.List[str] = []

    @property
    def steps(self) -> t.List[Step]:
        """As they began, those of a stage by their numbers: a build that failed is told from its end."""
        steps = sorted(super().steps, key=lambda step: step.started or step.completed or math.inf)
        stages: t.Dict[str, t.List[int]] = {}
        for position, step in enumerate(steps):
            found = _NUMBERED.match(step.name)
            if found:
                stages.setdefault(found.group(1).strip(), []).append(position)
        ordered = list(steps)
        for positions in stages.values():
            for position, step in zip(positions, sorted((steps[each] for each in positions), key=_number)):
                ordered[position] = step
        return ordered

    def line(self, line: str) -> None:
        """Take one line of output; buildx 0.13 spreads an object over many, later ones do not."""
        if not self._object and not line.startswith("{"):
            if line.strip():
                self.messages.append(line)
            return
        self._object.append(line)
        if not line.startswith("}") and not (len(self._object) == 1 and line.endswith("}")):
            return
        text, self._object = "\n".join(self._object), []
        try:
            event = json.loads(text)
        except ValueError:
            self.messages.append(text)
            return
        for vertex in event.get("vertexes") or ():
            self._vertex(vertex)
        for log in event.get("logs") or ():
            self._log(log)

    def _vertex(self, vertex: t.Mapping[str, t.Any]) -> None:
        step = self._steps.setdefault(vertex["digest"], Step(vertex.get("name", "")))
        step.started = step.started or _time(vertex.get("started"))
        step.completed = _time(vertex.get("completed")) or step.completed
        step.cached = step.cached or bool(vertex.get("cached"))
        step.error = vertex.get("error") or step.error
        if step.internal or step.cancelled or step.reported:
            return
        if step.completed:
            step.settle()
            step.reported = True
            self._show(str(step))
        elif step.started and not step.announced and "] RUN " in step.name:
            step.announced = True
            self._show("%s: running" % shortened(step.name))

    def _log(self, log: t.Mapping[str, t.Any]) -> None:
        step = self._steps.get(log.get("vertex", ""))
        if step is None:
            return
        text = base64.b64decode(log.get("data") or "").decode("utf-8", "replace")
        *lines, step.unfinished = (step.unfinished + text).split("\n")
        for line in lines:
            kept = step.keep(line)
            if not step.internal:
                self.log.append(kept)


def _number(step: Step) -> int:
    found = _NUMBERED.match(step.name)
    return int(found.group(2)) if found else 0


def _time(text: t.Optional[str]) -> t.Optional[float]:
    """Seconds of RFC 3339 with up to nine digits of a second, of which Python 3.9 takes six."""
    if not text:
        return None
    whole, _dot, rest = text.rstrip("Z").partition(".")
    digits = re.match(r"\d*", rest)
    parsed = datetime.datetime.fromisoformat(
        "%s.%s" % (whole[:19], (digits.group() if digits else "").ljust(6, "0")[:6])
    )
    return parsed.replace(tzinfo=datetime.timezone.utc).timestamp()
