# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What may keep a pod from ever being ready, each with the time it is given to pass by itself."""

from __future__ import annotations

import dataclasses
import typing as t

Key = t.Tuple[t.Any, ...]


def on_one_line(message: str) -> str:
    """A message as part of a sentence: runtimes hand on line breaks and full stops."""
    return " ".join(message.split()).rstrip(".")


@dataclasses.dataclass(frozen=True)
class Cause:
    """Why a pod does not start.

    :param kind: pull, start, crash, memory, probe, configuration, unschedulable, setup or refused.
    :param text: what is the matter, as a clause about the container (or the pod, where C(container) is empty).
    :param remedy: what to do, as a sentence without its full stop.
    :param detail: for a pull its class; for a probe the probe's name.
    :param logs: whose log tells more: C(present), C(previous) or nobody's.
    """

    kind: str
    text: str
    remedy: str
    pod: str = ""
    container: str = ""
    sidecar: bool = False
    node: str = ""
    detail: str = ""
    logs: str = ""


@dataclasses.dataclass(frozen=True)
class Suspicion:
    """A cause that holds once it has lasted C(patience) seconds. Two looks see the same one if their keys are equal."""

    key: Key
    patience: float
    cause: Cause


@dataclasses.dataclass(frozen=True)
class Patience:
    """How long what can heal is given, in seconds.

    :param ready: for a container that has started (its startup probe has passed) and whose readiness probe does not pass.
    :param schedule: for a pod that no node takes: another may end, a node may come.
    :param missing: for a Secret or ConfigMap that is not there.
    :param setup: for volumes, network and runtime; under load the kubelet's first try fails now and then.
    :param pull: for a registry that does not answer.
    """

    ready: float = 15.0
    schedule: float = 10.0
    missing: float = 10.0
    setup: float = 30.0
    pull: float = 10.0


class Stopwatch:
    """Remembers since when each suspicion has been there without a break, by the clock of whoever looks.

    The cluster's own times are left alone: the clocks of nodes and of the controller differ.
    """

    def __init__(self) -> None:
        self._since: t.Dict[Key, float] = {}

    def judge(self, suspicions: t.Sequence[Suspicion], now: float) -> t.Tuple[t.Optional[Cause], t.Optional[float]]:
        """Return the first cause that has lasted long enough, or the seconds until the next one will have."""
        self._since = {item.key: self._since.get(item.key, now) for item in suspicions}
        left = [(self._since[item.key] + item.patience - now, item.cause) for item in suspicions]
        ripe = [cause for seconds, cause in left if seconds <= 0]
        if ripe:
            return ripe[0], None
        return None, min((seconds for seconds, _cause in left), default=None)
