# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Who started a container of a trial, so that the next trial can tell a leftover from one that is still tried."""

from __future__ import annotations

import dataclasses
import os
import typing as t

RUN_LABEL = "delivery.longshore.trial"
OWNER_LABEL = "delivery.longshore.trial.owner"
SECONDS_LABEL = "delivery.longshore.trial.seconds"


@dataclasses.dataclass(frozen=True)
class Owner:
    """A process on a machine since its last boot.

    :param boot: the boot's id, which no two machines share, and that of the namespace of its process numbers.
    :param begun: when the process began, in the kernel's ticks since the boot: process numbers come again.
    """

    boot: str
    process: int
    begun: str

    @classmethod
    def here(cls) -> Owner:
        """This process."""
        return cls.of(os.getpid())

    @classmethod
    def of(cls, process: int) -> Owner:
        """A process of this machine."""
        return cls(_boot(), process, _begun(process))

    @classmethod
    def parse(cls, text: str) -> t.Optional[Owner]:
        """Read a label; None where it is none."""
        boot, _slash, rest = text.partition("/")
        process, slash, begun = rest.partition("/")
        return cls(boot, int(process), begun) if slash and process.isdigit() else None

    def __str__(self) -> str:
        return "%s/%d/%s" % (self.boot, self.process, self.begun)

    @property
    def ended(self) -> t.Optional[bool]:
        """Whether the process has ended; None for one of another machine, of which nothing is known here."""
        if not self.boot or self.boot != _boot():
            return None
        return _begun(self.process) != self.begun


def is_leftover(labels: t.Mapping[str, str], age: float) -> bool:
    """Whether nobody tries a container any more.

    :param labels: its own.
    :param age: seconds since it was made, by the engine's clock.
    """
    owner = Owner.parse(labels.get(OWNER_LABEL, ""))
    ended = owner.ended if owner else None
    if ended is not None:
        return ended
    seconds = labels.get(SECONDS_LABEL, "")
    return seconds.isdigit() and age > int(seconds)


def _boot() -> str:
    """The id of the last boot and of the namespace that process numbers are of; empty where the system has none."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return "%s:%s" % (file.read().strip(), os.stat("/proc/self/ns/pid").st_ino)
    except OSError:
        return ""


def _begun(process: int) -> str:
    """When a process began; empty for one that does not run."""
    try:
        with open("/proc/%d/stat" % process, encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]
