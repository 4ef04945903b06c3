# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The copies of an image that run side by side: one confined as far as can be, one that may write."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.trial.container import Container, Containers
from ansible_collections.longshore.delivery.plugins.module_utils.trial.engine import (
    LOOSE,
    READ_ONLY,
    STRICT,
    Confinement,
)
from ansible_collections.longshore.delivery.plugins.module_utils.trial.observed import ImageConfig, Start, Stop
from ansible_collections.longshore.delivery.plugins.module_utils.trial.plan import SETTLE_SECONDS, Plan
from ansible_collections.longshore.delivery.plugins.module_utils.trial.probes import await_
from ansible_collections.longshore.delivery.plugins.module_utils.trial.wanted import Wanted


class Copy:
    """A copy with how it is confined and how it came up."""

    def __init__(self, container: Container, confinement: Confinement) -> None:
        self.container = container
        self.confinement = confinement
        self.begun = time.monotonic()
        self.start = Start(False, 0.0, container.state())


class Copies:
    """Starts copies, and awaits that they are up.

    :ivar first: the one that is asked: the most confined one that came up.
    :ivar loose: one that may write to its own file system; the first one where no other came up.
    :ivar second: the one beside the first.
    """

    first: Copy
    loose: Copy
    second: Copy

    def __init__(self, containers: Containers, wanted: Wanted, plan: Plan, image: ImageConfig) -> None:
        self.containers = containers
        self.wanted = wanted
        self.plan = plan
        self.image = image

    def bring_up(self) -> Start:
        """Start the first two copies at once, and others less confined where the first does not come up.

        :returns: how the best of those with a read-only root came up.
        """
        self.first = self.begin(STRICT)
        self.loose = self.second = self.begin(LOOSE)
        self.up(self.first)
        self.up(self.loose)
        if self.first.start.started:
            if not self.loose.start.started:
                # in an image without the directories of 'tmpfs' one that has its own file system has none to write to
                self.second = self.up(self.begin(STRICT))
            return self.first.start
        if not self.loose.start.started:
            return self.first.start
        self.first = self.up(self.begin(READ_ONLY))
        read_only = self.first.start
        if not read_only.started:
            self.first, self.second = self.loose, self.up(self.begin(LOOSE))
        return read_only

    def begin(self, confinement: Confinement, env: t.Optional[t.Mapping[str, str]] = None) -> Copy:
        """Start a copy, with the variables of the options or others."""
        container = self.containers.start(confinement, self.wanted.env if env is None else env)
        return Copy(container, confinement)

    def up(self, copy: Copy) -> Copy:
        """Await that a copy is up, or has ended, or that its time is over."""
        left = copy.begun + self.wanted.start_timeout - time.monotonic()
        if not self.plan.port:
            left = min(left, copy.begun + SETTLE_SECONDS - time.monotonic())
        found = await_(lambda: self._look(copy), lambda start: start.started or not start.state.running, left)
        if not self.plan.port and found.state.running:
            found = Start(True, found.seconds, found.state)
        if not found.started:
            found = Start(False, found.seconds, found.state, found.connecting, copy.container.log())
        copy.start = found
        return copy

    def _look(self, copy: Copy) -> Start:
        connecting = copy.container.connect(self.plan.port).problem if self.plan.port else "it listens on nothing"
        seconds = time.monotonic() - copy.begun
        state = copy.container.state()
        return Start(not connecting and state.running, seconds, state, connecting)

    def stop(self, copy: Copy) -> Stop:
        """Have a copy end by its stop signal, and kill it when it does not."""
        signal = self.image.stop_signal
        before = copy.container.state()
        if not before.running:
            return Stop(signal, True, 0.0, before.exit_code, before)
        begun = time.monotonic()
        copy.container.signal(signal)
        state = await_(copy.container.state, lambda found: not found.running, self.wanted.stop_timeout)
        seconds = time.monotonic() - begun
        if state.running:
            copy.container.signal("SIGKILL")
            await_(copy.container.state, lambda found: not found.running, self.wanted.stop_timeout)
        return Stop(signal, not state.running, seconds, state.exit_code)

    def again(self, copy: Copy) -> Start:
        """Start a copy in the place of one that has ended, confined alike: a new container, as Kubernetes makes one, since of an
        old one a directory of 'tmpfs' that the image has not stays as root's."""
        return self.up(self.begin(copy.confinement)).start
