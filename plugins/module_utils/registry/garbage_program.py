# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The program that collects garbage on a registry's host: the role C(registry) makes one file of it, which systemd runs."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socket
import sys
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.interruption import unwound
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_collection import Collection, settle
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_gate import Gate
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_notes import Busy, Notes
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_plan import Rules
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_proof import Proof
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_storage import Storage

_DAY = 86400.0
_HOUR = 3600.0
# of sysexits.h: EX_TEMPFAIL and EX_NOPERM
_BUSY, _WRONG_USER = 75, 77


def main(argv: t.Optional[t.Sequence[str]] = None) -> int:
    """Collect, or settle what a run has left; returns the exit status."""
    given = _arguments().parse_args(argv)
    storage, notes = Storage(given.storage), Notes(given.notes)
    gate = Gate(given.flag, given.scheme, given.address, given.port, given.backend_port)
    try:
        owner = os.stat(given.storage).st_uid
        if os.geteuid() != owner:
            sys.stderr.write(
                "Only the user that owns %s (%d) may do this: have systemd start it.\n" % (given.storage, owner)
            )
            return _WRONG_USER
        with unwound():
            if given.settle:
                with notes.alone():
                    settle(storage, notes, gate, _say, _tell_systemd)
                return 0
            untagged = None if given.untagged_days < 0 else given.untagged_days * _DAY
            rules = Rules(given.recent_hours * _HOUR, untagged)
            with contextlib.closing(Proof(given.backend_port)) as proof:
                result = Collection(storage, notes, gate, proof, rules, given.at_most, _say).run()
    except Busy:
        _say("a collection is under way already")
        if given.settle:
            _tell_systemd()
        return 0 if given.settle else _BUSY
    except OSError as error:  # not even the notes can be made, or what a run has left cannot be ended
        sys.stderr.write("This came to no end: %s.\n" % error)
        return 1
    _say(json.dumps(result.as_json(), sort_keys=True))
    if result.fault:
        sys.stderr.write("Nothing was collected: %s.\n" % result.fault)
    return 1 if result.fault else 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Collect the garbage of a registry behind nginx.", allow_abbrev=False)
    parser.add_argument("--storage", required=True, help="the rootdirectory of the registry's configuration")
    parser.add_argument("--notes", required=True, help="a directory of the collection's own")
    parser.add_argument("--flag", required=True, help="the file in whose presence nginx refuses writes")
    parser.add_argument("--scheme", required=True, choices=["http", "https"], help="by which nginx serves")
    parser.add_argument("--address", required=True, help="on which nginx listens")
    parser.add_argument("--port", required=True, type=int, help="on which nginx listens")
    parser.add_argument("--backend-port", required=True, type=int, help="the registry's port on 127.0.0.1")
    parser.add_argument("--recent-hours", type=float, default=24.0, help="keep what was pushed later than that ago")
    parser.add_argument("--untagged-days", type=float, default=-1.0, help="keep manifests without a tag; -1: for ever")
    parser.add_argument(
        "--at-most",
        type=float,
        default=120.0,
        help="seconds that writes may be refused, and that a quiet moment for it is waited for",
    )
    parser.add_argument("--settle", action="store_true", help="only end what a run that was killed has left")
    return parser


def _tell_systemd() -> None:
    """That what waits for this may start, see sd_notify(3); nothing where systemd does not want to know."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as telling:
            telling.connect("\0" + address[1:] if address.startswith("@") else address)
            telling.sendall(b"READY=1")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
