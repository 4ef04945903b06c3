# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Note what the role C(registry) puts on a host and what was there before; or take it away again."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Capability, Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.file_lock import held
from ansible_collections.longshore.delivery.plugins.module_utils.registry import (
    host_copies,
    host_instances,
    host_removal,
    host_runs,
    host_volume,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_ledger import (
    Ledger,
    Ran,
    digest_of,
    load,
    place_of,
    save,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_removal_plan import Found, Removal, plan
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_units import package_versions, units

BEGUN, DONE, ABSENT = "begun", "done", "absent"
_PATIENCE = 60.0  # seconds
Params = t.Mapping[str, t.Any]


def run(params: t.Dict[str, t.Any], context: Context) -> t.Dict[str, t.Any]:
    """Note, or take away.

    :raises DeliveryError: the ledger cannot be read; or something could not be taken away.
    """
    if os.geteuid():
        raise DeliveryError("The ledger of a registry's host is root's alone. Set 'become: true' for this host.")
    host_instances.check(params["instance"])
    take = _take_away if params["state"] == ABSENT else _note
    if context.check or (params["state"] == ABSENT and not _removal(params, context)[0].steps):
        return take(params, context)
    with held(params["ledger"], _PATIENCE):
        return take(params, context)


def _note(params: Params, context: Context) -> t.Dict[str, t.Any]:
    before = load(params["ledger"])
    after = _begun(before, params, context) if params["state"] == BEGUN else _done(before, params)
    if params["state"] == BEGUN:
        _see_alone(before, params)
    if not context.check:
        (_begin if params["state"] == BEGUN else _end)(before, after, params)
    # what a run writes is the change, and not that it is noted
    changed = dataclasses.replace(after, files={}, changed_by="") != dataclasses.replace(
        before, files={}, changed_by=""
    )
    return {"changed": changed, "steps": [], "stays": []}


def _see_alone(ledger: Ledger, params: Params) -> None:
    """
    :raises DeliveryError: another run changes this registry, or has since this one looked.
    """
    kept, run = params["kept"], params["run"]
    if run and kept:
        named = host_instances.named(params["instance"])
        host_runs.see_alone(run, kept["directory"], named, ledger.changed_by)


def _begin(before: Ledger, after: Ledger, params: Params) -> None:
    """Write it, and keep copies; other runs are let in again where that cannot be.

    :raises DeliveryError: there is no room.
    """
    kept, run = params["kept"], params["run"]
    try:
        if run and kept:
            host_runs.begin(run, kept["directory"])
        if after != before:
            save(after, params["ledger"])
        if kept:
            host_copies.keep(kept["files"], kept["directory"])
    except OSError as error:
        if run and kept:
            host_runs.end(run, kept["directory"])
        raise DeliveryError(
            "What is on this host cannot be noted before it is changed: %s. Nothing was changed. Mend that, and run again."
            % error
        ) from error


def _end(before: Ledger, after: Ledger, params: Params) -> None:
    if after != before:
        save(after, params["ledger"])
    # those of another run that has begun since are that one's
    if params["kept"] and (not params["run"] or host_runs.end(params["run"], params["kept"]["directory"])):
        host_copies.drop(params["kept"]["directory"])


def _begun(ledger: Ledger, params: Params, context: Context) -> Ledger:
    """The ledger with what is about to be put there. What it knows already stays as it was noted then.

    What another registry of the role's was first to find on the host is taken from its ledger: whichever goes last gives it back.
    """
    wanted, others = params["packages"], host_instances.ledgers(params["ledger"]).values()
    installed = package_versions(wanted, context.run_command) if wanted else {}
    packages = {*ledger.packages, *(name for name in wanted if name not in installed)}
    packages |= {name for other in others for name in other.packages if name in wanted}
    services = dict(ledger.services)
    # without a ledger, a registry of the role's is not what was there before it
    own = set(params["files"]) - set(params["shared_files"])
    if ledger.files or not any(os.path.exists(path) for path in own):
        asked = [name for name in params["services"] if name not in services]
        for name, unit in units(asked, context.run_command).items() if asked else ():
            noted = [other.services[name] for other in others if name in other.services]
            services[name] = noted[0] if noted else Ran(unit.is_active, unit.enabled, unit.masked)
    directories = {path: place_of(path) for path in params["directories"]}
    directories.update(
        (path, other.directories[path]) for other in others for path in directories if path in other.directories
    )
    volume = params["volume"]
    return dataclasses.replace(
        ledger,
        exists=True,
        volumes={**ledger.volumes, **({volume["place"]: host_volume.named(volume)} if volume else {})},
        files={**dict.fromkeys(params["files"], ""), **ledger.files},
        directories={**directories, **ledger.directories},
        packages=tuple(sorted(packages)),
        services=services,
    )


def _done(ledger: Ledger, params: Params) -> Ledger:
    """The ledger with what was written; what is not there any more leaves it."""
    written = {path: digest_of(path) for path in (*ledger.files, *params["files"])}
    return dataclasses.replace(
        ledger,
        exists=True,
        files={path: digest for path, digest in written.items() if digest},
        changed_by=params["run"]["id"] if params["run"] else ledger.changed_by,
    )


def _removal(params: Params, context: Context) -> t.Tuple[Removal, Found]:
    found = host_removal.observe(params, load(params["ledger"]), context.run_command)
    return plan(found, params["site"], params["remove_data"]), found


def _take_away(params: Params, context: Context) -> t.Dict[str, t.Any]:
    removal, found = _removal(params, context)
    if removal.steps:
        _see_alone(found.ledger, params)
    for said in _warnings(removal, params):
        context.warn(said)
    if removal.steps and not context.check:
        host_removal.carry_out(removal, found, params, context.run_command)
    result: t.Dict[str, t.Any] = {"changed": bool(removal.steps), "steps": removal.steps, "stays": list(removal.stays)}
    if context.diff:
        result["diff"] = {"before": _lines(_named(removal)), "after": ""}
    return result


def _named(removal: Removal) -> t.List[str]:
    """What is there and goes: files by their paths, packages by their names."""
    volume = [removal.volume.named] if removal.volume else []
    return sorted([*removal.files, *removal.aside, *removal.leftovers, *removal.data, *removal.packages, *volume])


def _lines(named: t.Iterable[str]) -> str:
    return "".join("%s\n" % name for name in named)


def _warnings(removal: Removal, params: Params) -> t.List[str]:
    said = []
    if removal.aside:
        said.append(
            "Somebody has changed %s since the role wrote it. It is no longer where it was, and kept in %s, for root alone."
            % (", ".join(removal.aside), params["aside"])
        )
    return said


ARGUMENT_SPEC: t.Dict[str, t.Any] = {
    "state": {"type": "str", "choices": [BEGUN, DONE, ABSENT], "required": True},
    "instance": {"type": "str", "default": ""},
    "ledger": {"type": "path", "required": True},
    "files": {"type": "list", "elements": "path", "default": []},
    "shared_files": {"type": "list", "elements": "path", "default": []},
    "mark": {"type": "str", "default": ""},
    "directories": {"type": "list", "elements": "path", "default": []},
    "packages": {"type": "list", "elements": "str", "default": []},
    "services": {"type": "list", "elements": "str", "default": []},
    "kept": {
        "type": "dict",
        "options": {
            "directory": {"type": "path", "required": True},
            "files": {"type": "list", "elements": "path", "default": []},
        },
    },
    "run": host_runs.SPEC,
    "units": {"type": "list", "elements": "str", "default": []},
    "site": {"type": "path", "default": ""},
    "port": {"type": "int", "default": 0},
    "nginx_file": {"type": "path", "default": ""},
    "leftovers": {"type": "list", "elements": "path", "default": []},
    "garbage_notes": {"type": "path", "default": ""},
    "settling": {"type": "str", "default": ""},
    "data": {"type": "list", "elements": "path", "default": []},
    "remove_data": {"type": "bool", "default": False},
    "volume": host_volume.SPEC,
    "aside": {"type": "path", "default": ""},
}
CAPABILITY = Capability(run=run, argument_spec=ARGUMENT_SPEC)
