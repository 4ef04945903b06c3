# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The ledger of a registry's host: what the role C(registry) put there, and what was there before. No secret is in it.

What was there before is noted before the first change, so that a run that is cut off leaves behind what it was about to do.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import stat
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils import atomic
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError

FORMAT = 1


@dataclasses.dataclass(frozen=True)
class Place:
    """Owner, group and mode of a directory that was there before, by number."""

    uid: int
    gid: int
    mode: int


@dataclasses.dataclass(frozen=True)
class Ran:
    """What a service did before the role came."""

    active: bool
    enabled: bool
    masked: bool = False


@dataclasses.dataclass(frozen=True)
class Ledger:
    """
    :param exists: whether there is one on the host at all.
    :param files: SHA-256 of what the role wrote, by path; empty of a file that it was about to write.
    :param directories: what they were before; None for one that the role was to make.
    :param volumes: of these directories the named volumes of engines, each with its name and engine, in words: only the
        engine makes and removes one.
    :param changed_by: the id of the last run that has changed what is there.
    :param packages: those that the role was to install.
    :param services: what those were doing before that the role runs or reloads. Without an entry nobody knows it.
    """

    exists: bool = False
    files: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    directories: t.Mapping[str, t.Optional[Place]] = dataclasses.field(default_factory=dict)
    packages: t.Tuple[str, ...] = ()
    services: t.Mapping[str, Ran] = dataclasses.field(default_factory=dict)
    volumes: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    changed_by: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing left to say."""
        return not (self.files or self.directories or self.packages or self.services)


def load(path: str) -> Ledger:
    """Read the ledger; an empty one if there is none.

    :raises DeliveryError: it cannot be understood; nothing is guessed then.
    """
    state = atomic.read(path)
    if state is None:
        return Ledger()
    try:
        document = json.loads(state.content)
        if document["format"] != FORMAT:
            raise ValueError("its format is %r, this collection writes %d" % (document["format"], FORMAT))
        return Ledger(
            True,
            dict(document["files"]),
            {name: place and Place(**place) for name, place in document["directories"].items()},
            tuple(document["packages"]),
            {name: Ran(**ran) for name, ran in document["services"].items()},
            dict(document.get("volumes", {})),
            str(document.get("changed_by", "")),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DeliveryError(
            "The ledger %s, which says what the role registry put on this host, cannot be understood (%s: %s). Nothing is "
            "changed. Bring the file back, or move it away: what it names then counts as having been there before."
            % (path, type(error).__name__, error)
        ) from None


def save(ledger: Ledger, path: str) -> None:
    """Write the ledger, for root alone; one with nothing in it goes."""
    if ledger.is_empty:
        atomic.remove(path)
        return
    document = {
        "format": FORMAT,
        "files": dict(ledger.files),
        "directories": {name: place and dataclasses.asdict(place) for name, place in ledger.directories.items()},
        "packages": sorted(ledger.packages),
        "services": {name: dataclasses.asdict(ran) for name, ran in ledger.services.items()},
        **({"volumes": dict(ledger.volumes)} if ledger.volumes else {}),
        **({"changed_by": ledger.changed_by} if ledger.changed_by else {}),
    }
    atomic.make_directories(os.path.dirname(path), 0o700)
    atomic.write(path, (json.dumps(document, indent=1, sort_keys=True) + "\n").encode(), 0o600)


def place_of(path: str) -> t.Optional[Place]:
    """What a directory is now; None where there is none."""
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return Place(found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode))


def digest_of(path: str) -> str:
    """SHA-256 of a file's bytes; empty where there is none."""
    state = atomic.read(path)
    return hashlib.sha256(state.content).hexdigest() if state else ""
