# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Asks an image all points of its plan, in an order in which none disturbs another."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.trial import verdicts
from ansible_collections.longshore.delivery.plugins.module_utils.trial.copies import Copies, Copy
from ansible_collections.longshore.delivery.plugins.module_utils.trial.observed import (
    Answer,
    ImageConfig,
    Output,
    Start,
    WithChange,
    WithoutVariable,
)
from ansible_collections.longshore.delivery.plugins.module_utils.trial.plan import Plan, Point
from ansible_collections.longshore.delivery.plugins.module_utils.trial.probes import await_
from ansible_collections.longshore.delivery.plugins.module_utils.trial.verdicts import Verdict
from ansible_collections.longshore.delivery.plugins.module_utils.trial.wanted import Assertion, ChangedVariable, Wanted

BODY_SHOWN = 200


class Questions:
    """One round of questions.

    :ivar endpoints: what the endpoints answered, for the result.
    :ivar log: the last lines of the copy that was asked.
    """

    def __init__(
        self, wanted: Wanted, image: ImageConfig, plan: Plan, copies: Copies, show: t.Callable[[str], None]
    ) -> None:
        self.wanted = wanted
        self.image = image
        self.plan = plan
        self.copies = copies
        self.show = show
        self.endpoints: t.List[t.Dict[str, t.Any]] = []
        self.log: t.Tuple[str, ...] = ()
        self._verdicts: t.Dict[Point, Verdict] = {}
        # copies with variables changed and missing, of which one starts while others are asked
        self._environments: t.Iterator[t.Dict[str, str]] = iter(())
        self._coming: t.Optional[Copy] = None

    def asked(self) -> t.List[Verdict]:
        """Ask, and return a verdict on each point, in the plan's order. Each is shown as it falls."""
        read_only = self.copies.bring_up()
        first = self.copies.first
        self.log = first.container.log()
        self._note(
            verdicts.starts(self._one("starts"), first.start, self.wanted, self.plan, first.confinement.capabilities)
        )
        for point in self._points("listens"):
            self._note(verdicts.listens(point, first.start, self.wanted, self.plan))
        number = first.container.user_number(self.plan.user) if self.plan.user else None
        self._note(verdicts.user(self._one("user"), self.plan.user, number))
        if first.start.started:
            self._environments = iter(self._other_environments())
            self._coming = self._next_copy(first)
            self._running(first)
            self._variables(first)
            self._ending(first, read_only)
        return [
            self._verdicts.get(point) or verdicts.not_asked(point, point.not_asked or "it did not come up")
            for point in self.plan.points
        ]

    def _one(self, kind: str) -> Point:
        return next(point for point in self.plan.points if point.kind == kind)

    def _points(self, kind: str) -> t.List[Point]:
        """Those of a kind that are asked."""
        return [point for point in self.plan.points if point.kind == kind and not point.not_asked]

    def _note(self, verdict: Verdict) -> None:
        self._verdicts[verdict.point] = verdict
        self.show(str(verdict))

    def _note_running(self, verdict: Verdict, copy: Copy) -> None:
        """Note a verdict on a copy that is to run."""
        if verdict.verdict == verdicts.FAIL:
            verdict = verdicts.with_end(verdict, copy.container.state(), self.wanted.memory)
        self._note(verdict)

    def _running(self, first: Copy) -> None:
        """What is asked of a copy that is up: its endpoints, and the user's own assertions."""
        for kind in ("ready", "health", "metrics"):
            for point in self._points(kind):
                answer = self._get(first, point.subject)
                self.endpoints.append(_shown(point, answer))
                if self.copies.loose is not first:
                    # so that it logs what the first one does
                    self.copies.loose.container.get(self.plan.port, point.subject)
                self._note_running(verdicts.endpoint(point, answer), first)
        listed = [point for point in self.plan.points if point.kind == "assertion"]
        for point, assertion in zip(listed, self.wanted.assertions):
            if not point.not_asked:
                self._note_running(self._assertion(point, assertion, first), first)

    def _get(self, copy: Copy, path: str) -> Answer:
        """The answer at a path, once it is one that a probe takes, or the last one."""
        seconds = self.wanted.start_timeout - copy.start.seconds
        return await_(
            lambda: copy.container.get(self.plan.port, path),
            lambda answer: verdicts.is_success(answer) or not copy.container.state().running,
            max(seconds, 1),
        )

    def _assertion(self, point: Point, wanted: Assertion, copy: Copy) -> Verdict:
        def ask() -> Verdict:
            if wanted.tcp:
                answer = copy.container.connect(wanted.tcp)
            elif wanted.command:
                answer = copy.container.execute(wanted.command, wanted.timeout)
            else:
                answer = copy.container.get(wanted.port or self.plan.port, wanted.http, wanted.headers)
            return verdicts.assertion(point, wanted, answer)

        return await_(
            ask,
            lambda verdict: verdict.verdict == verdicts.PASS or not copy.container.state().running,
            wanted.timeout,
        )

    def _variables(self, first: Copy) -> None:
        """What is asked with variables changed and missing, each of a copy of its own."""
        for point, change in zip(self._points("changed_env"), self.wanted.changed_env):
            changed = self._with_change(change, first)
            self._note(verdicts.changed_env(point, change.regex, changed, self.wanted.memory))
        for point, name in zip(self._points("required_env"), self.wanted.required_env):
            copy = self.copies.up(self._other_copy(first))
            without = WithoutVariable(name, copy.start.started, copy.start.state, copy.start.log)
            self._end(copy)
            self._note(verdicts.required_env(point, without, name in self.image.env, self.wanted, first.start.seconds))

    def _other_environments(self) -> t.Iterator[t.Dict[str, str]]:
        """The variables of the copies that are asked about variables, in the order in which they are."""
        env = self.wanted.env
        if self._points("changed_env"):
            yield from ({**env, change.name: change.value} for change in self.wanted.changed_env)
        for name in self.wanted.required_env:
            yield {key: value for key, value in env.items() if key != name}

    def _other_copy(self, first: Copy) -> Copy:
        """The next of these copies. The one after it is begun, as to start is most of the time."""
        copy, self._coming = self._coming, self._next_copy(first)
        return t.cast("Copy", copy)

    def _next_copy(self, first: Copy) -> t.Optional[Copy]:
        env = next(self._environments, None)
        return None if env is None else self.copies.begin(first.confinement, env)

    def _with_change(self, change: ChangedVariable, first: Copy) -> WithChange:
        changed = self._other_copy(first)
        # of another copy: what differs between copies, as a host name does, is no sign of the change
        other = self.copies.second if self.copies.second.start.started else first
        before, again = (copy.container.get(self.plan.port, change.path) for copy in (first, other))
        self.copies.up(changed)
        after = self._once_ready(changed, change.path, before) if changed.start.started else Answer()
        start = changed.start
        state = changed.container.state()
        if start.started and after.problem and not state.running:
            start = dataclasses.replace(start, started=False, state=state)
        self._end(changed)
        return WithChange(before, again, after, start)

    def _once_ready(self, copy: Copy, path: str, before: Answer) -> Answer:
        """The answer of a copy that is up but may not be ready: by its readiness endpoint, else by the answer itself.

        :param before: the answer of one that is ready. What that one refuses is not waited for.
        """
        if "ready" in self.wanted.endpoints:
            self._get(copy, self.wanted.endpoints["ready"])
        elif verdicts.is_success(before):
            return self._get(copy, path)
        return copy.container.get(self.plan.port, path)

    def _end(self, copy: Copy) -> None:
        copy.container.signal("SIGKILL")

    def _ending(self, first: Copy, read_only: Start) -> None:
        """What is asked last: its end, its log, where it wrote, and that it comes up again."""
        loose = self.copies.loose
        stop = self.copies.stop(first)
        self._note(verdicts.stops(self._one("stops"), stop, self.wanted))
        self.log = first.container.log()
        lines = len(first.container.log("all"))
        if loose is not first:
            self._end(loose)
        files = loose.container.written()
        self._note(verdicts.logs(self._one("logs"), Output(lines, files)))
        restart = self.copies.again(first) if first.confinement.read_only else None
        self._note(verdicts.transient(self._one("transient"), read_only, restart, files, self.image.volumes))
        self._note(verdicts.copies(self._one("copies"), self.copies.second.start, self.wanted.memory))


def _shown(point: Point, answer: Answer) -> t.Dict[str, t.Any]:
    return {
        "endpoint": point.kind,
        "path": point.subject,
        "status": answer.status,
        "content_type": answer.content_type,
        "body": answer.text[:BODY_SHOWN],
    }
