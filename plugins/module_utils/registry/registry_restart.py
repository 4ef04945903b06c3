# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""A registry is started anew, as after another program was put in its place, and asked for all that it served before."""

from __future__ import annotations

import contextlib
import os
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import (
    Capability,
    Context,
    DeliveryError,
    RunCommand,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.backup_snapshot import EVERYTHING
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_plan import Promise, plan
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_proof import Proof
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_storage import Storage, StrangeStorage
from ansible_collections.longshore.delivery.plugins.module_utils.registry.outage import Outage
from ansible_collections.longshore.delivery.plugins.module_utils.registry.quiet_storage import (
    quiet,
    read_settled,
)

_NAMED, _KEPT = 5, 100
Params = t.Mapping[str, t.Any]


def run(params: t.Dict[str, t.Any], context: Context) -> t.Dict[str, t.Any]:
    """Restart.

    :raises DeliveryError: the registry does not come up, or does not serve what it did.
    """
    if os.geteuid():
        raise DeliveryError("Restarting a registry needs root on its host. Set 'become: true' for this host.")
    storage = Storage(params["storage"])
    try:
        with quiet(params["storage"], params["garbage_notes"]):
            before = _asked(storage, params)
            if context.check:
                return _result(before, 0.0)
            with Outage(params["port"]) as outage:
                _restart(params["unit"], context.run_command)
                if not outage.ended(params["patience"]):
                    raise DeliveryError(
                        "%s was started anew, and does not answer on 127.0.0.1 port %d within %d s: see 'journalctl --unit %s'."
                        % (params["unit"], params["port"], params["patience"], params["unit"])
                    )
            after = _asked(storage, params)
            # what clients have deleted since was not found for that reason
            lost = sorted((after.faults.keys() - before.faults.keys()) & set(_promises(storage, params)), key=_by_name)
    except StrangeStorage as strange:
        raise DeliveryError("%s was not proved: %s." % (params["unit"], strange)) from None
    if lost:
        raise DeliveryError(
            "%s was started anew, and does not serve what it did: %s."
            % (params["unit"], "; ".join(after.faults[promise] for promise in lost[:_NAMED]))
        )
    return _result(after, outage.seconds)


class _Asked(t.NamedTuple):
    """What was asked for, and why some of it is not served."""

    promised: int
    faults: t.Dict[Promise, str]


def _asked(storage: Storage, params: Params) -> _Asked:
    promises = _promises(storage, params)
    with contextlib.closing(Proof(params["port"])) as proof:
        silent = proof.fault_of_registry()
        if silent:
            raise DeliveryError(
                "%s. What a registry served before can be proved only of one that runs: start it first." % silent
            )
        faults = {promise: proof.fault_of(promise) for promise in promises}
    return _Asked(len(promises), {promise: fault for promise, fault in faults.items() if fault})


def _promises(storage: Storage, params: Params) -> t.Tuple[Promise, ...]:
    return plan(read_settled(storage, params["garbage_notes"]), EVERYTHING, {}, 0.0).promises


def _by_name(promise: Promise) -> t.Tuple[str, str]:
    return promise.repository, promise.digest


def _restart(unit: str, run_command: RunCommand) -> None:
    # stopped by the unit that systemd knows, which may be of another engine than the one that is on the disk
    for argv in (["stop", unit], ["daemon-reload"], ["reset-failed", unit], ["start", unit]):
        done = run_command(["systemctl", *argv])
        if done.rc and "reset-failed" not in argv:
            raise DeliveryError(
                "%s cannot be started: %s. 'journalctl --unit %s' says more."
                % (unit, " ".join(done.stderr.split()).rstrip("."), unit)
            )


def _result(asked: _Asked, seconds: float) -> t.Dict[str, t.Any]:
    return {
        "changed": True,
        "outage_seconds": round(seconds, 3),
        "proved": asked.promised - len(asked.faults),
        "unserved": sorted(asked.faults.values())[:_KEPT],
    }


ARGUMENT_SPEC: t.Dict[str, t.Any] = {
    "unit": {"type": "str", "required": True},
    "port": {"type": "int", "required": True},
    "storage": {"type": "path", "required": True},
    "garbage_notes": {"type": "path", "default": ""},
    "patience": {"type": "int", "default": 15},
}
CAPABILITY = Capability(run=run, argument_spec=ARGUMENT_SPEC)
