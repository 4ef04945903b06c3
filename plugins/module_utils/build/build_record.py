# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What BuildKit reports while it builds (C(--progress=rawjson)): steps, their output, and the one that failed."""

from __future__ import annotations

import base64
import collections
import dataclasses
import datetime
import json
import re
import typing as t

LOG_LINES = 50  # of all steps together that are kept
STEP_LOG_LINES = 20  # of each step
_INTERNAL = re.compile(r"\[(\S+ )?(internal|auth)\]|\[auth\]")
_CANCELLED = re.compile(r"context canceled|cancell?ed", re.IGNORECASE)


@dataclasses.dataclass
class Step:
    """One step of a build, called a vertex by BuildKit.

    :param name: such as C([2/3] RUN make).
    :param error: what BuildKit said when it failed; empty where it did not.
    """

    name: str
    started: t.Optional[str] = None
    completed: t.Optional[str] = None
    cached: bool = False
    error: str = ""
    log: t.Deque[str] = dataclasses.field(default_factory=lambda: collections.deque(maxlen=STEP_LOG_LINES))
    unfinished: str = ""
    announced: bool = False  # that it runs
    reported: bool = False  # how it ended

    @property
    def internal(self) -> bool:
        return _INTERNAL.match(self.name) is not None

    @property
    def cancelled(self) -> bool:
        return _CANCELLED.search(self.error) is not None

    @property
    def seconds(self) -> float:
        if not self.started or not self.completed:
            return 0.0
        return max(0.0, round((_time(self.completed) - _time(self.started)).total_seconds(), 2))

    def settle(self) -> None:
        """Keep a last line that had no end."""
        if self.unfinished:
            self.keep(self.unfinished)
            self.unfinished = ""

    def keep(self, line: str) -> str:
        """Keep a line as a terminal would have left it, drawn again and again or not."""
        line = line.rstrip("\r").rsplit("\r", 1)[-1]
        self.log.append(line)
        return line

    @property
    def result(self) -> t.Dict[str, t.Any]:
        return {"step": self.name, "cached": self.cached, "seconds": self.seconds}

    def __str__(self) -> str:
        ending = "failed" if self.error else "cached" if self.cached else "%.1f s" % self.seconds
        return "%s: %s" % (shortened(self.name), ending)


class BuildRecord:
    """Follows a build line by line.

    :param show: is given a line for each step that begins to run a command or ends.
    """

    def __init__(self, show: t.Callable[[str], None]) -> None:
        self._show = show
        self._steps: t.Dict[str, Step] = {}
        self._object: t.List[str] = []
        self.log: t.Deque[str] = collections.deque(maxlen=LOG_LINES)
        self.messages: t.List[str] = []  # lines that are no progress: what buildx itself says

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

    @property
    def steps(self) -> t.List[Step]:
        """Those of the Dockerfile and of the export, without BuildKit's own preparations."""
        return [step for step in self._steps.values() if not step.internal and (step.completed or step.error)]

    @property
    def failed(self) -> t.Optional[Step]:
        """The step that failed; none of those that were cancelled because of it, or because of what no step says."""
        return next((step for step in self._steps.values() if step.error and not step.cancelled), None)

    def _vertex(self, vertex: t.Mapping[str, t.Any]) -> None:
        step = self._steps.setdefault(vertex["digest"], Step(vertex.get("name", "")))
        step.started = step.started or vertex.get("started")
        step.completed = vertex.get("completed") or step.completed
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


def shortened(name: str, width: int = 100) -> str:
    """A step's name on one line."""
    name = " ".join(name.split())
    return name if len(name) <= width else name[: width - 3] + "..."


def _time(text: str) -> datetime.datetime:
    """RFC 3339 with up to nine digits of a second, of which Python 3.9 takes six."""
    whole, _dot, rest = text.rstrip("Z").partition(".")
    digits = re.match(r"\d*", rest)
    return datetime.datetime.fromisoformat("%s.%s" % (whole[:19], (digits.group() if digits else "").ljust(6, "0")[:6]))
