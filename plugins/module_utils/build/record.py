# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What is kept of a build's report, whichever builder it is: steps, their output, and the one that failed."""

from __future__ import annotations

import collections
import dataclasses
import re
import time
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.image.recorded_inputs import DIGEST_LABEL

LOG_LINES = 50  # of all steps together that are kept
STEP_LOG_LINES = 20  # of each step
_INTERNAL = re.compile(r"\[(\S+ )?(internal|auth)\]|\[auth\]")
_IMPORT = "importing cache manifest from "
_CANCELLED = re.compile(r"context canceled|cancell?ed", re.IGNORECASE)


@dataclasses.dataclass
class Step:
    """One step of a build, called a vertex by BuildKit.

    :param name: such as C([2/3] RUN make).
    :param started: when, in seconds; so is the end.
    :param error: what the builder said when it failed; empty where it did not.
    :param text: the instruction, where the builder writes it as it stands in the Dockerfile.
    :param same: how many steps before it had the same text.
    """

    name: str
    started: t.Optional[float] = None
    completed: t.Optional[float] = None
    cached: bool = False
    error: str = ""
    text: str = ""
    same: int = 0
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
    def is_optional(self) -> bool:
        """Whether a build goes on without it."""
        return self.name.startswith(_IMPORT)

    @property
    def seconds(self) -> float:
        if self.started is None or self.completed is None:
            return 0.0
        return max(0.0, round(self.completed - self.started, 2))

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


class Record:
    """What is kept of a build's report.

    :param show: is given a line for each step that begins to run a command or ends.
    """

    def __init__(self, show: t.Callable[[str], None]) -> None:
        self._show = show
        self._steps: t.Dict[str, Step] = {}
        self.log: t.Deque[str] = collections.deque(maxlen=LOG_LINES)
        self.messages: t.List[str] = []  # lines that are no progress: what the builder itself says

    @property
    def steps(self) -> t.List[Step]:
        """Those of the Dockerfile and of the export, without a builder's own preparations."""
        return [step for step in self._steps.values() if not step.internal and (step.completed or step.error)]

    @property
    def failed(self) -> t.Optional[Step]:
        """The step that failed; none of those that were cancelled because of it, or because of what no step says."""
        failed = (step for step in self._steps.values() if step.error and not step.cancelled and not step.is_optional)
        return next(failed, None)

    @property
    def lost_caches(self) -> t.List[str]:
        """Why no step could be taken from a cache, each with its name."""
        lost = (step for step in self._steps.values() if step.is_optional and step.error and not step.cancelled)
        return ["%s: %s" % (step.name[len(_IMPORT) :], step.error) for step in lost]


def joined(records: t.Sequence[Record], show: t.Callable[[str], None]) -> Record:
    """One record of several builds, in their order."""
    whole = Record(show)
    for number, record in enumerate(records):
        whole._steps.update(("%d %s" % (number, key), step) for key, step in record._steps.items())
        whole.log.extend(record.log)
        whole.messages += record.messages
    return whole


class TextRecord(Record):
    """Of a builder that carries out one instruction after the other and tells it as text."""

    def __init__(self, show: t.Callable[[str], None]) -> None:
        super().__init__(show)
        self._now: t.Optional[Step] = None

    def begin(self, name: str, text: str) -> None:
        """The next instruction begins, with which the one before has ended."""
        self.end()
        same = sum(step.text == text for step in self._steps.values())
        name = "[internal] record of the inputs" if DIGEST_LABEL in text else name
        self._now = Step(name, started=time.monotonic(), text=text, same=same)
        self._steps[str(len(self._steps))] = self._now
        if text.upper().startswith("RUN "):
            self._show("%s: running" % shortened(name))

    def cached(self) -> None:
        if self._now:
            self._now.cached = True

    def output(self, line: str) -> None:
        """A line that a command, or the builder for the instruction, wrote."""
        self.log.append(self._now.keep(line) if self._now else line)

    def end(self, error: str = "") -> None:
        """The instruction has ended."""
        if self._now:
            self._now.error = error
            self._now.completed = time.monotonic()
            if not self._now.internal:
                self._show(str(self._now))
        elif error:
            self.messages.append(error)
        self._now = None


def shortened(name: str, width: int = 100) -> str:
    """A step's name on one line."""
    name = " ".join(name.split())
    return name if len(name) <= width else name[: width - 3] + "..."
