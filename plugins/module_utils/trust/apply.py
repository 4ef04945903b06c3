# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Carry a plan out; when anything fails, put every file back and let the engines take that over: never worse than
before.
"""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils import atomic
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError, RunCommand
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import CONTAINERD, DOCKER, Engine
from ansible_collections.longshore.delivery.plugins.module_utils.trust import daemon_json, engine_control
from ansible_collections.longshore.delivery.plugins.module_utils.trust import ledger as ledgers
from ansible_collections.longshore.delivery.plugins.module_utils.trust.daemon_json import BrokenJson
from ansible_collections.longshore.delivery.plugins.module_utils.trust.engine_control import EngineFailed
from ansible_collections.longshore.delivery.plugins.module_utils.trust.entry import DIRECTORY, LISTS
from ansible_collections.longshore.delivery.plugins.module_utils.trust.file_plan import FileStep
from ansible_collections.longshore.delivery.plugins.module_utils.trust.ledger import Ledger, Record
from ansible_collections.longshore.delivery.plugins.module_utils.trust.locations import Locations
from ansible_collections.longshore.delivery.plugins.module_utils.trust.plan import NOTHING, RESTART, Action, Plan

Verify = t.Callable[[t.Sequence[Action]], None]


class NotApplied(DeliveryError):
    """A plan that failed on the way; the message says where, why, and what state the node is in."""


class Application:
    """One plan on its way into the node's files.

    :param before: the ledger as it was.
    :param verify: asks the engines; raises C(DeliveryError) when they do not do what the plan promised.
    """

    def __init__(
        self, plan: Plan, before: Ledger, locations: Locations, run_command: RunCommand, verify: Verify
    ) -> None:
        self._plan = plan
        self._before = before
        self._locations = locations
        self._run_command = run_command
        self._verify = verify
        self._engines = {action.engine.name: action.engine for action in plan.actions}
        self._written: t.List[FileStep] = []
        self._told: t.List[Action] = []
        self._made: t.Tuple[str, ...] = ()

    def run(self) -> Ledger:
        """Carry the plan out. Returns the ledger as it is then.

        :raises DeliveryError: a step failed, and everything is as it was, or the message says what is not.
        """
        for step in self._plan.steps:
            self._ask_engine_about(step)
        missing = [atomic.missing_directories(os.path.dirname(s.path)) for s in self._plan.steps if s.after is not None]
        self._made = tuple(dict.fromkeys(directory for directories in missing for directory in directories))
        try:
            pending = {a.engine.name: a.what for a in self._plan.actions if a.what != NOTHING}
            for step in self._plan.steps:
                if step.keep is not None:
                    ledgers.store(step.keep, self._locations)
            if self._plan.steps or pending:
                # Before the first file: a run that is cut off leaves behind what it was about to do.
                self._save(self._beginning(pending))
            for step in self._plan.steps:
                self._write(step, step.after if step.interim is None else step.interim)
            for action in self._plan.actions:
                self._tell(action)
            for step in self._plan.steps:
                if step.interim is not None:
                    self._write(step, step.after)
            self._verify([dataclasses.replace(a, engine=self._engines[a.engine.name]) for a in self._plan.actions])
        except BaseException as error:
            self._put_back(error)
            raise
        return self._finished()

    def _finished(self) -> Ledger:
        atomic.remove_empty(self._before.directories)
        after = self._ledger({})
        after = dataclasses.replace(after, directories=tuple(name for name in after.directories if os.path.isdir(name)))
        is_noted = (after.records, after.told_for) == (self._before.records, self._before.told_for)
        if self._plan.steps or self._told or not is_noted or self._before.pending:
            self._save(after)
            ledgers.forget_unused(after, self._locations)
        return after

    def _ledger(self, pending: t.Mapping[str, str]) -> Ledger:
        """The ledger with what this plan writes."""
        directories = tuple(dict.fromkeys((*self._before.directories, *self._made)))
        return dataclasses.replace(
            self._before,
            exists=True,
            records=self._plan.records,
            pending=pending,
            directories=directories,
            told_for=self._plan.told_for,
        )

    def _beginning(self, pending: t.Mapping[str, str]) -> Ledger:
        """That ledger with what is true of each file until it is written."""
        after = self._ledger(pending)
        paths = [step.path for step in self._plan.steps if step.path in self._before.records]
        return dataclasses.replace(
            after,
            earlier={path: self._before.records[path] for path in paths},
            told_for={**self._before.told_for, **after.told_for},
        )

    def _save(self, ledger: Ledger) -> None:
        ledgers.save(ledger, self._locations)

    def _write(self, step: FileStep, content: t.Optional[bytes]) -> None:
        self._written.append(step)
        try:
            if content is None:
                atomic.remove(step.path)
                return
            atomic.make_directories(os.path.dirname(step.path))
            atomic.write(step.path, content, step.mode)
        except OSError as error:
            raise NotApplied(
                "%s cannot be written: %s. Look whether its file system is mounted read-only, full, or protected."
                % (step.path, error.strerror or error)
            ) from None

    def _tell(self, action: Action) -> None:
        if action.what == NOTHING:
            return
        self._told.append(action)
        engine = self._engines[action.engine.name]
        try:
            if action.what == RESTART:
                self._engines[engine.name] = engine_control.restart(engine, self._run_command)
            else:
                engine_control.reload(engine, self._expected_of_docker(engine))
        except EngineFailed as error:
            raise NotApplied("%s does not take over its files: %s" % (engine.name, error)) from None

    def _expected_of_docker(self, engine: Engine) -> t.Dict[str, bool]:
        """Which of the ledger's registries and mirrors Docker must list after a reload: what it is about to read says it.

        The ledger alone does not: others may have taken an entry out since. Without the list a reload changes nothing, see
        C(daemon_json.with_list).

        :raises EngineFailed: the file cannot be read, by Docker neither.
        """
        listed = {**_listed(self._before.records), **_listed(self._plan.records)}
        if engine.name != DOCKER or engine.insecure is None or not listed:
            return {}
        try:
            state = atomic.read(engine.config_file)
            settings = daemon_json.document(None if state is None else state.content)
        except (OSError, BrokenJson) as error:
            raise EngineFailed("%s: %s" % (engine.config_file, error)) from None
        return {item: item in (settings[key] or ()) for item, key in listed.items() if key in settings}

    def _ask_engine_about(self, step: FileStep) -> None:
        """Let containerd itself parse a new config.toml before it replaces the old one."""
        engine = self._engines.get(CONTAINERD)
        if engine is None or DIRECTORY not in step.kinds or step.after is None:
            return
        candidate = step.path + ".longshore-candidate"  # beside the file: its imports may be relative
        made = atomic.make_directories(os.path.dirname(candidate))
        try:
            atomic.write(candidate, step.after, 0o600)
            done = self._run_command([engine.program or "containerd", "--config", candidate, "config", "dump"])
        finally:
            atomic.remove(candidate)
            atomic.remove_empty(made)
        if done.rc not in (0, 127):
            raise NotApplied(
                "%s would not be understood by containerd after the change, and is left as it is: %s"
                % (step.path, (done.stderr or done.stdout).strip())
            )

    def _put_back(self, error: BaseException) -> None:
        """:raises DeliveryError: in place of the error, with the state that the node is in."""
        problems = self._restored(for_reload=True)
        for action in self._told:
            engine = self._engines[action.engine.name]
            try:
                if action.what == RESTART:
                    engine_control.restart(engine, self._run_command)
                else:
                    engine_control.reload(engine, self._expected_of_docker(engine))
            except EngineFailed as failure:
                problems.append("%s: %s" % (engine.name, failure))
        problems += self._restored(for_reload=False)
        atomic.remove_empty(self._made)
        if not problems and self._before.exists:
            self._save(self._before)
        elif not problems:
            atomic.remove(self._locations.ledger)
        if not isinstance(error, DeliveryError) or not (self._written or self._told):
            return
        state = "Every file is as it was before this run, and the engines have taken that over."
        if problems:
            state = "Not everything could be put back: %s." % "; ".join(problems)
        raise NotApplied("%s. %s" % (str(error).rstrip("."), state), **error.facts) from None

    def _restored(self, for_reload: bool) -> t.List[str]:
        """Write the files' bytes of before. Returns what went wrong.

        :param for_reload: with empty lists in daemon.json where there were none, see C(daemon_json.with_list).
        """
        problems = []
        for step in reversed(self._written):
            content = None if step.before is None else step.before.content
            mode = step.mode if step.before is None else step.before.mode
            for kind in LISTS if for_reload else ():
                if kind in step.kinds:
                    content = daemon_json.with_list(content, LISTS[kind])
            try:
                if content is None:
                    atomic.remove(step.path)
                else:
                    atomic.write(step.path, content, mode)
            except OSError as failure:
                problems.append("%s: %s" % (step.path, failure))
        return problems


def _listed(records: t.Mapping[str, Record]) -> t.Dict[str, str]:
    """The items of Docker's lists, each with its list's key."""
    entries = [entry for record in records.values() for entry in record.entries]
    return {entry.value: LISTS[entry.kind] for entry in entries if entry.kind in LISTS}
