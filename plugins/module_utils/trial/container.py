# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""One container that is tried, and all of a trial's together."""

from __future__ import annotations

import dataclasses
import posixpath
import typing as t
import uuid

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.trial import probes
from ansible_collections.longshore.delivery.plugins.module_utils.trial.engine import (
    Confinement,
    Listed,
    TrialEngine,
    Wish,
)
from ansible_collections.longshore.delivery.plugins.module_utils.trial.observed import Answer, State
from ansible_collections.longshore.delivery.plugins.module_utils.trial.owner import (
    OWNER_LABEL,
    RUN_LABEL,
    SECONDS_LABEL,
    Owner,
    is_leftover,
)
from ansible_collections.longshore.delivery.plugins.module_utils.trial.wanted import Wanted

LOG_LINES = 50


class Container:
    """A container. What cannot be asked of it any more, as it has ended, is an answer as well."""

    def __init__(self, engine: TrialEngine, identity: str) -> None:
        self.engine = engine
        self.id = identity
        self.refused = ""

    def start(self) -> None:
        """Start it. That the engine takes it for one that cannot be started is its state.

        :raises DeliveryError: it is the engine that cannot start anything now.
        """
        self.refused = self.engine.start(self.id)

    def state(self) -> State:
        found = self.engine.state(self.id)
        return dataclasses.replace(found, running=found.running and not self.refused, refused=self.refused)

    def log(self, lines: t.Union[int, str] = LOG_LINES) -> t.Tuple[str, ...]:
        """The last lines it wrote to stdout and stderr.

        :param lines: how many, or C(all).
        """
        return tuple(self.engine.log(self.id, lines).splitlines())

    def written(self) -> t.Tuple[str, ...]:
        """Paths that it made or changed in its own file system, those with nothing of them below."""
        return leaves(self.engine.written(self.id))

    def signal(self, name: str) -> None:
        """Send it a signal; one that has ended gets none."""
        self.engine.signal(self.id, name)

    def user_number(self, user: str) -> t.Optional[int]:
        """The number of a user, by the container's /etc/passwd where it is a name; None where that does not tell."""
        name = user.partition(":")[0]
        if name.isdigit():
            return int(name)
        fields = (line.split(":") for line in self.engine.file(self.id, "/etc/passwd").splitlines())
        numbers = (entry[2] for entry in fields if entry[0] == name and len(entry) > 2)
        return next((int(number) for number in numbers if number.isdigit()), None)

    def connect(self, port: int) -> Answer:
        address = self.engine.published(self.id, port)
        return probes.connect(self.engine.host, address, "port %d" % port) if address else self._ended(port)

    def get(self, port: int, path: str, headers: t.Optional[t.Mapping[str, str]] = None) -> Answer:
        address = self.engine.published(self.id, port)
        if not address:
            return self._ended(port)
        return probes.get(self.engine.host, address, path, headers or {}, "port %d" % port)

    def execute(self, command: t.Sequence[str], seconds: float) -> Answer:
        """Run a command in it, and get its exit code and its output."""
        return self.engine.execute(self.id, command, seconds)

    def _ended(self, port: int) -> Answer:
        return Answer(problem="port %d: the container has ended" % port)


class Containers:
    """All containers of one trial. A label that they have in common finds them, however far a call to the engine came."""

    def __init__(
        self, engine: TrialEngine, wanted: Wanted, image: str, ports: t.Sequence[int], seconds: int, user: str = ""
    ) -> None:
        """
        :param image: its ID.
        :param ports: those to publish.
        :param seconds: within which the trial is over in any case.
        :param user: by whom it runs, by the image or the options.
        """
        self.engine = engine
        self.wanted = wanted
        self.image = image
        self.ports = tuple(ports)
        self.user = user
        self.run = uuid.uuid4().hex[:12]
        self.labels = {RUN_LABEL: self.run, OWNER_LABEL: str(Owner.here()), SECONDS_LABEL: str(seconds)}

    def start(self, confinement: Confinement, env: t.Mapping[str, str]) -> Container:
        """Make a copy and start it.

        :param env: its variables, beside those of the image.
        """
        wanted = self.wanted
        wish = Wish(
            image=self.image,
            name="longshore-trial-%s-%s" % (self.run, uuid.uuid4().hex[:6]),
            labels=self.labels,
            confinement=confinement,
            command=wanted.command,
            env=env,
            user=wanted.user,
            ports=self.ports,
            memory=wanted.memory,
            cpus=wanted.cpus,
            tmpfs=wanted.tmpfs,
            owner=self.user,
        )
        container = Container(self.engine, self.engine.make(wish))
        container.start()
        return container

    def remove(self) -> None:
        """Remove all that there are, with what they wrote."""
        self._remove(self.engine.listed(RUN_LABEL, self.run))

    def remove_leftovers(self) -> int:
        """Remove what trials left that were killed; how many there were."""
        now = self.engine.now()
        listed = self.engine.listed(RUN_LABEL)
        return self._remove([found for found in listed if is_leftover(found.labels, now - found.created)])

    def _remove(self, listed: t.Sequence[Listed]) -> int:
        """
        :raises DeliveryError: one of them could not be removed; the others are gone.
        """
        faults: t.List[DeliveryError] = []
        for found in listed:
            try:
                self.engine.remove(found.id)
            except DeliveryError as error:
                faults.append(error)
        if faults:
            raise faults[0]
        return len(listed)


def leaves(paths: t.Iterable[str]) -> t.Tuple[str, ...]:
    """Of some paths those that are above none of the others, sorted."""
    listed = set(paths)
    above = {posixpath.dirname(path) for path in listed}
    return tuple(sorted(listed - above))
