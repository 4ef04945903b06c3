# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Which run of the role changes a registry at the moment: noted beside the copies of what it may replace, and gone with them.

Nothing of a run stays on the host between two of its tasks, so only its controller can say whether it still goes on.
"""

from __future__ import annotations

import dataclasses
import json
import os
import time
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils import atomic
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError

COUNTS_SECONDS = 3600.0  # longer than a run takes from its first change to its last
_NOTE = "run.json"
SPEC: t.Dict[str, t.Any] = {
    "type": "dict",
    "options": {
        "id": {"type": "str", "required": True},
        "controller": {"type": "str", "required": True},
        "user": {"type": "str", "required": True},
        "process": {"type": "int", "required": True},
        "succeeds": {"type": "str", "default": ""},
        "follows": {"type": "str"},
    },
}


@dataclasses.dataclass(frozen=True)
class Run:
    """A run of ansible-playbook.

    :param id: what no other run has, on whichever controller.
    :param controller: the name of the machine, and there a C(user) and the C(process).
    :param began: when it began to change the registry, in seconds since the epoch by the clock of the registry's host.
    """

    id: str
    controller: str
    user: str
    process: int
    began: float


def noted(directory: str) -> t.Optional[Run]:
    """The run that has begun to change the registry and has not ended its change: it goes on, or was killed."""
    state = atomic.read(_note_in(directory))
    try:
        return Run(**json.loads(state.content)) if state else None
    except (ValueError, TypeError):
        return None  # of another version of the collection


def changed_by(ledger: str) -> str:
    """The id of the last run that has changed the registry; empty where none has.

    A ledger that cannot be read has none either: who is about to change something reads it whole, and is told.
    """
    state = atomic.read(ledger)
    try:
        return str(json.loads(state.content).get("changed_by", "")) if state else ""
    except (ValueError, AttributeError):
        return ""


def see_alone(given: t.Mapping[str, t.Any], directory: str, registry: str, changed_by: str) -> None:
    """See that no other run changes the registry, and that none has since this one looked at it.

    :param given: what C(SPEC) says; C(succeeds) is the id of a run of which its controller knows that it is over, C(follows)
        that of the last one that had changed the registry when this one looked.
    :param directory: that of the copies.
    :param registry: which one it is, in words.
    :param changed_by: the id of the last run that has changed it; empty where none has.
    :raises DeliveryError: another run does, as far as can be told, or did.
    """
    other = noted(directory)
    if other and other.id not in (given["id"], given["succeeds"]) and time.time() < other.began + COUNTS_SECONDS:
        raise DeliveryError(
            "Another run of the role changes %s on this host: process %d of %s on %s, since %s. This one has changed nothing. "
            "Run again once that has ended. If it was killed on another controller than this one, its note counts until %s, or "
            "until you remove %s."
            % (
                registry,
                other.process,
                other.user,
                other.controller,
                _shown(other.began),
                _shown(other.began + COUNTS_SECONDS),
                _note_in(directory),
            )
        )
    if given["follows"] is not None and changed_by not in (given["follows"], given["id"]):
        raise DeliveryError(
            "Another run of the role has changed %s on this host since this one looked at it. This one has changed nothing. "
            "Run again." % registry
        )


def begin(given: t.Mapping[str, t.Any], directory: str) -> None:
    """Note that this run changes the registry from now on. It has to be alone.

    :param given: what C(SPEC) says.
    :param directory: that of the copies.
    """
    run = Run(given["id"], given["controller"], given["user"], given["process"], time.time())
    atomic.make_directories(os.path.dirname(directory))
    atomic.make_directories(directory, 0o700)
    atomic.write(_note_in(directory), json.dumps(dataclasses.asdict(run)).encode(), 0o600)


def end(given: t.Mapping[str, t.Any], directory: str) -> bool:
    """Note no more that this run changes the registry; whether no other one does."""
    run = noted(directory)
    if run and run.id != given["id"]:
        return False
    atomic.remove(_note_in(directory))
    return True


def _note_in(directory: str) -> str:
    return os.path.join(directory, _NOTE)


def _shown(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))
