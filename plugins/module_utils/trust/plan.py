# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""From what a node has and what is wanted to the steps: which bytes go where, and what each engine needs to take them
over. Pure.
"""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.atomic import FileState
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import CONTAINERD, CRIO, DOCKER, Engine
from ansible_collections.longshore.delivery.plugins.module_utils.trust.containerd_toml import Refused
from ansible_collections.longshore.delivery.plugins.module_utils.trust.daemon_json import BrokenJson
from ansible_collections.longshore.delivery.plugins.module_utils.trust.entry import (
    BLOCK,
    DIRECTORY,
    INSECURE,
    LISTS,
    Entry,
)
from ansible_collections.longshore.delivery.plugins.module_utils.trust.file_plan import FileStep, plan_file
from ansible_collections.longshore.delivery.plugins.module_utils.trust.ledger import Ledger, Record
from ansible_collections.longshore.delivery.plugins.module_utils.trust.locations import Locations
from ansible_collections.longshore.delivery.plugins.module_utils.trust.told_for import ToldFor, with_entries_left
from ansible_collections.longshore.delivery.plugins.module_utils.trust.toml_lines import TomlError

# What an engine needs to take over its files.
NOTHING = "nothing"
RELOAD = "reload"
RESTART = "restart"
_STRENGTH = (NOTHING, RELOAD, RESTART)


@dataclasses.dataclass(frozen=True)
class Scope:
    """What a run is about.

    :param entries: what must be in the files; where trust is taken away, what stays of files that several have a share in.
    :param endpoints: the registries whose other entries go; None for all.
    :param told_for: for whose images the engines are told of a registry then.
    """

    entries: t.Tuple[Entry, ...]
    endpoints: t.Optional[t.FrozenSet[str]]
    told_for: ToldFor = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Action:
    """What an engine needs to take over its files, and why."""

    engine: Engine
    what: str
    reason: str


@dataclasses.dataclass(frozen=True)
class Plan:
    """Steps in the order in which they are carried out.

    :param records: the ledger's records after them.
    :param refusals: what keeps the plan from being carried out; nothing is done then.
    :param remarks: what the user should know.
    :param told_for: for whose images the engines are told of a registry after them.
    """

    steps: t.Tuple[FileStep, ...]
    actions: t.Tuple[Action, ...]
    records: t.Mapping[str, Record]
    refusals: t.Tuple[str, ...]
    remarks: t.Tuple[str, ...]
    told_for: ToldFor = dataclasses.field(default_factory=dict)

    @property
    def changes(self) -> bool:
        """Whether a file's bytes change or an engine is told of them."""
        return bool(self.steps) or any(action.what != NOTHING for action in self.actions)

    def gone(self, ledger: Ledger) -> t.List[str]:
        """The registries that the engines were told of, by this ledger, and are not after the plan."""
        before = {*ledger.told_for, *_endpoints(ledger.records)}
        return sorted(before.difference(self.told_for, _endpoints(self.records)))


def plan(
    engines: t.Sequence[Engine],
    scope: Scope,
    files: t.Mapping[str, FileState],
    ledger: Ledger,
    stored: t.Mapping[str, bytes],
    override: bool,
    locations: Locations,
) -> Plan:
    """Plan a run.

    :param engines: those to serve, in order.
    :param files: the files that are there, of those named by C(scope) and the ledger.
    :param stored: the bytes before, by their digest, as far as they are still kept.
    :param override: whether what others wrote may be replaced.
    """
    names = {engine.name for engine in engines}
    steps: t.List[FileStep] = []
    records = dict(ledger.records)
    refusals: t.List[str] = []
    remarks: t.List[str] = []
    paths = dict.fromkeys([entry.path for entry in scope.entries] + sorted(ledger.records))
    for path in paths:
        record = ledger.records.get(path)
        try:
            planned = plan_file(path, scope.entries, scope.endpoints, names, files.get(path), record, stored, override)
        except (TomlError, BrokenJson, Refused, UnicodeDecodeError) as error:
            refusals.append("%s: %s." % (path, error))
            continue
        refusals += planned.refusals
        remarks += planned.remarks
        if planned.step is not None:
            steps.append(planned.step)
        if planned.record is not None:
            records[path] = planned.record
        else:
            records.pop(path, None)
    steps.sort(key=_safe_order)
    actions = tuple(_action(engine, steps, scope, ledger, files, locations) for engine in engines)
    told = with_entries_left(scope.told_for, ledger.told_for, _entries(records))
    return Plan(tuple(steps), actions, records, tuple(refusals), tuple(remarks), told)


def without_engines(planned: Plan, names: t.Container[str], ledger: Ledger) -> Plan:
    """The plan without the steps that only these engines need, which are left as they are."""
    actions = tuple(action for action in planned.actions if action.engine.name not in names)
    serving = {action.engine.name for action in actions}
    steps = tuple(step for step in planned.steps if serving.intersection(step.engines))
    records = dict(planned.records)
    for step in planned.steps:
        if step not in steps:
            if step.path in ledger.records:
                records[step.path] = ledger.records[step.path]
            else:
                records.pop(step.path, None)
    told = with_entries_left(planned.told_for, ledger.told_for, _entries(records))
    return dataclasses.replace(planned, steps=steps, actions=actions, records=records, told_for=told)


def _endpoints(records: t.Mapping[str, Record]) -> t.Set[str]:
    return {endpoint for entry in _entries(records) for endpoint in entry.endpoints}


def _entries(records: t.Mapping[str, Record]) -> t.Iterator[Entry]:
    return (entry for record in records.values() for entry in record.entries)


def _safe_order(step: FileStep) -> t.Tuple[int, str]:
    """Authorities come before the files that name them and go after those: a missing 'ca' fails every pull."""
    if any(kind != BLOCK for kind in step.kinds):
        return (3, step.path)
    if step.path.endswith((".crt", ".cert", ".key")):
        return (2 if step.after is None else 0, step.path)
    return (1, step.path)


def _action(
    engine: Engine,
    steps: t.Sequence[FileStep],
    scope: Scope,
    ledger: Ledger,
    files: t.Mapping[str, FileState],
    locations: Locations,
) -> Action:
    """The strongest of what this engine's steps ask for and of what an earlier run left undone."""
    asked = [(NOTHING, _at_rest(engine, steps))]
    for step in steps:
        if engine.name in step.engines:
            asked.append(_asked_by(engine, step, locations))
    if engine.name in ledger.pending and (scope.entries or ledger.pending[engine.name] != RESTART):
        asked.append((ledger.pending[engine.name], "an earlier run was cut off before it"))
    if engine.name == DOCKER and engine.insecure is not None and len(asked) == 1:
        unheard = [
            entry.value
            for entry in scope.entries
            if entry.kind == INSECURE and entry.value not in engine.insecure and entry.path in files
        ]
        if unheard:
            asked.append((RELOAD, "%s lists %s and Docker does not use it yet" % (engine.config_file, unheard[0])))
    what, reason = max(asked, key=lambda pair: _STRENGTH.index(pair[0]))
    if engine.is_stopped and what != NOTHING:
        return Action(engine, NOTHING, "it does not run, and reads its files when it starts")
    return Action(engine, what, reason)


def _asked_by(engine: Engine, step: FileStep, locations: Locations) -> t.Tuple[str, str]:
    if engine.name == CONTAINERD and DIRECTORY in step.kinds:
        if step.puts_in:
            return RESTART, "containerd reads %s only at its start" % step.path
        return NOTHING, "without a hosts.toml its directory trusts nothing"
    if engine.name == DOCKER and step.kinds.intersection(LISTS):
        keys = [LISTS[kind] for kind in LISTS if kind in step.kinds]
        return RELOAD, "Docker reads %s again on SIGHUP" % " and ".join(keys)
    if engine.name == CRIO and os.path.dirname(step.path) == locations.registries_drop_ins:
        return RELOAD, "CRI-O reads registries.conf.d again on SIGHUP"
    return NOTHING, "it reads this file at every pull"


def _at_rest(engine: Engine, steps: t.Sequence[FileStep]) -> str:
    if any(engine.name in step.engines for step in steps):
        return "it reads these files at every pull"
    return "everything is as wanted"
