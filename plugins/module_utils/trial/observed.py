# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What was seen of an image while it was tried."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.moments import time_of


@dataclasses.dataclass(frozen=True)
class ImageConfig:
    """What an image says of itself.

    :param ports: the TCP ports it exposes.
    :param env: the names of the variables that it sets itself.
    :param stop_signal: by its name; SIGTERM where it names none.
    :param has_command: whether it has an ENTRYPOINT or a CMD.
    """

    id: str
    user: str = ""
    ports: t.Tuple[int, ...] = ()
    env: t.Tuple[str, ...] = ()
    stop_signal: str = "SIGTERM"
    volumes: t.Tuple[str, ...] = ()
    has_command: bool = True

    @classmethod
    def from_inspect(cls, found: t.Mapping[str, t.Any]) -> ImageConfig:
        """Read an engine's answer."""
        config = found.get("Config") or {}
        ports = (port.partition("/") for port in config.get("ExposedPorts") or {})
        return cls(
            id=found["Id"],
            user=config.get("User") or "",
            ports=tuple(sorted(int(number) for number, _slash, kind in ports if kind in ("", "tcp"))),
            env=tuple(entry.partition("=")[0] for entry in config.get("Env") or ()),
            stop_signal=config.get("StopSignal") or "SIGTERM",
            volumes=tuple(sorted(config.get("Volumes") or {})),
            has_command=bool(config.get("Entrypoint") or config.get("Cmd")),
        )


@dataclasses.dataclass(frozen=True)
class State:
    """A container now.

    :param exit_code: of one that has ended.
    :param out_of_memory: whether it was killed for wanting more than its limit.
    :param refused: what the engine said when it could not start it.
    :param seconds: how long one ran that has ended, by the engine's clock, in whole ones.
    """

    running: bool
    exit_code: int = 0
    out_of_memory: bool = False
    refused: str = ""
    seconds: float = 0.0

    @classmethod
    def from_inspect(cls, found: t.Mapping[str, t.Any]) -> State:
        """Read an engine's answer."""
        state = found["State"]
        begun, ended = (time_of(state.get(name)) for name in ("StartedAt", "FinishedAt"))
        return cls(
            bool(state["Running"]),
            int(state["ExitCode"]),
            bool(state.get("OOMKilled")),
            seconds=(ended - begun).total_seconds() if begun and ended and not state["Running"] else 0.0,
        )


@dataclasses.dataclass(frozen=True)
class Start:
    """How a copy came up.

    :param started: it runs, and listens where it is to.
    :param seconds: from its start until then, or until it was given up.
    :param connecting: what kept a connection to its port from being made; empty when there was one, or none was to be.
    :param log: the last lines it wrote; only of one that did not start.
    """

    started: bool
    seconds: float
    state: State
    connecting: str = ""
    log: t.Tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Answer:
    """What came of a request, a command or a connection.

    :param status: of HTTP, or a command's exit code; None where there was none.
    :param text: the body, or the command's output.
    :param problem: why there was none.
    :param endless: of a body that was not all there in time, that it was not; the text is what was.
    """

    status: t.Optional[int] = None
    text: str = ""
    content_type: str = ""
    problem: str = ""
    endless: str = ""


@dataclasses.dataclass(frozen=True)
class WithoutVariable:
    """A copy that a required variable was kept from."""

    name: str
    started: bool
    state: State
    log: t.Tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class WithChange:
    """Answers at one path: of two copies without the change, of one with it, and how that one came up."""

    before: Answer
    again: Answer
    after: Answer
    start: Start


@dataclasses.dataclass(frozen=True)
class Stop:
    """What a copy did at its stop signal.

    :param before: the state of one that had ended before the signal.
    """

    signal: str
    ended: bool
    seconds: float
    exit_code: int = 0
    before: t.Optional[State] = None


@dataclasses.dataclass(frozen=True)
class Output:
    """Where a copy wrote.

    :param lines: how many lines it wrote to stdout and stderr.
    :param files: paths in its own file system that it made or changed, those with nothing of them below.
    """

    lines: int
    files: t.Tuple[str, ...] = ()
