# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What an engine is asked for a trial, whichever engine it is."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.trial.observed import Answer, State

# of a file of a container that is read, bytes
MOST_READ = 1024 * 1024


@dataclasses.dataclass(frozen=True)
class Confinement:
    """What a copy may not do beside what none may.

    :param read_only: its root file system; the directories in 'tmpfs' it may write.
    :param no_capabilities: not even those that the engine gives by default.
    """

    read_only: bool
    no_capabilities: bool

    @property
    def capabilities(self) -> str:
        return "no capability at all" if self.no_capabilities else "the engine's default capabilities"


STRICT = Confinement(read_only=True, no_capabilities=True)
READ_ONLY = Confinement(read_only=True, no_capabilities=False)
LOOSE = Confinement(read_only=False, no_capabilities=False)


@dataclasses.dataclass(frozen=True)
class Wish:
    """A container that is to be made. None may gain new privileges or use swap, none fills a disk with its log, and no health
    check of the image runs in one: it would use its memory, and write what the application does not.

    :param image: its ID.
    :param name: of the container.
    :param command: in place of the image's; None for the image's.
    :param user: empty for the image's.
    :param ports: TCP ports to publish, each on a free one of the engine's host.
    :param memory: bytes.
    :param tmpfs: directories in memory, of one whose root file system is read-only; whoever it runs as may write them.
    :param owner: who that is, as a Dockerfile's USER has it.
    """

    image: str
    name: str
    labels: t.Mapping[str, str]
    confinement: Confinement
    command: t.Optional[t.Tuple[str, ...]]
    env: t.Mapping[str, str]
    user: str
    ports: t.Tuple[int, ...]
    memory: int
    cpus: float
    tmpfs: t.Tuple[str, ...]
    owner: str = ""


@dataclasses.dataclass(frozen=True)
class Listed:
    """A container as an engine lists it.

    :param created: when, in seconds since 1970, by the engine's clock.
    """

    id: str
    labels: t.Mapping[str, str]
    created: float


class TrialEngine(t.Protocol):
    """An engine that runs containers; every method raises C(DeliveryError) where the engine is at fault.

    :ivar name: docker or podman.
    :ivar where: as messages name it, as in "the engine at unix:///var/run/docker.sock".
    :ivar host: the name or address by which its published ports are reached.
    """

    name: str
    where: str
    host: str

    def close(self) -> None: ...

    def image(self, name: str) -> t.Optional[t.Mapping[str, t.Any]]:
        """What it shows of an image by a reference or an ID, in Docker's words; None where it has none."""

    def now(self) -> float:
        """Its clock, in seconds since 1970."""

    def make(self, wish: Wish) -> str:
        """Make a container and return its ID."""

    def start(self, container: str) -> str:
        """Start it; why it cannot be, where that is the container's own fault, else empty."""

    def state(self, container: str) -> State: ...

    def published(self, container: str, port: int) -> int:
        """The port of the host by which one of the container is reached; 0 when it has ended."""

    def log(self, container: str, lines: t.Union[int, str]) -> str:
        """The last lines it wrote to stdout and stderr.

        :param lines: how many, or C(all).
        """

    def written(self, container: str) -> t.List[str]:
        """Paths that it made or changed in its own file system, with the directories above them."""

    def signal(self, container: str, name: str) -> None:
        """Send it a signal; one that has ended gets none."""

    def file(self, container: str, path: str) -> str:
        """The text of a file; empty where there is none that can be read, or it is larger than C(MOST_READ)."""

    def execute(self, container: str, command: t.Sequence[str], seconds: float) -> Answer:
        """Run a command in it; its exit code and its output, or why there is none."""

    def listed(self, label: str, value: str = "") -> t.List[Listed]:
        """All containers with a label, running or not."""

    def remove(self, container: str) -> None:
        """Remove it with its volumes, running or not. One that is gone, or that another one removes, is no error."""
