# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Jobs in processes of their own, as many at once as may be, each after those that it waits for; and one job for many things.

Processes, not threads: one that is told to stop unwinds what it does, and those that compute do so on processors of their own.
What they say comes to the process that started them, which hands it on line by line while they run.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import multiprocessing
import multiprocessing.connection
import signal
import traceback
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import (
    Capability,
    Context,
    DeliveryError,
    outcome,
)
from ansible_collections.longshore.delivery.plugins.module_utils.interruption import unwound

Result = t.Dict[str, t.Any]
Results = t.Sequence[t.Optional[Result]]

Item = t.TypeVar("Item")
Made = t.TypeVar("Made")
# opened once in each process, with its connection and what else it keeps
Work = t.Callable[[], t.ContextManager[t.Callable[[Item], Made]]]

_AHEAD = 4  # items for each process that may be done before the one that is due
_FORK = multiprocessing.get_context("fork")


@dataclasses.dataclass(frozen=True)
class Job:
    """Something to do.

    :param name: what messages call it.
    :param run: does it, given the results so far, those of all that it waits for among them; raises C(DeliveryError).
    :param after: the numbers of the jobs that it waits for.
    :param known: its result where there is nothing to do, told without a process; None where there is.
    """

    name: str
    run: t.Callable[[Results, Context], Result]
    after: t.FrozenSet[int] = frozenset()
    known: t.Callable[[Results], t.Optional[Result]] = lambda results: None


def run_jobs(jobs: t.Sequence[Job], at_once: int, context: Context) -> t.List[t.Optional[Result]]:
    """Run jobs until all are done, or one has failed and those beside it have come to their end.

    :param at_once: how many.
    :returns: a result for each, with C(failed) and C(msg) of one that failed, None of one that was not begun.
    """
    results: t.List[t.Optional[Result]] = [None] * len(jobs)
    running: t.Dict[multiprocessing.connection.Connection, _Process] = {}
    waiting = list(range(len(jobs)))
    try:
        while True:
            begun = True
            while begun and not any(result and result.get("failed") for result in results):
                begun = False
                for number in [number for number in waiting if all(results[before] for before in jobs[number].after)]:
                    results[number] = jobs[number].known(results)
                    if results[number] is None and len(running) < at_once:
                        process = _Process(number, jobs[number], results, context)
                        running[process.said] = process
                    elif results[number] is None:
                        continue
                    waiting.remove(number)
                    begun = True
            if not running:
                return results
            for said in multiprocessing.connection.wait(list(running)):
                process = running[t.cast("multiprocessing.connection.Connection", said)]
                process.hear(context)
                if process.result is not None:
                    results[process.number] = process.result
                    del running[process.said]
    finally:
        for process in running.values():
            process.stop()


class _Process:
    """A job that runs.

    :ivar result: None until it has ended.
    """

    def __init__(self, number: int, job: Job, results: Results, context: Context) -> None:
        self.number = number
        self.job = job
        self.result: t.Optional[Result] = None
        self.said, theirs = _FORK.Pipe(duplex=False)
        self._process = _FORK.Process(target=_in_process, args=(job, results, context, theirs))
        self._process.start()
        theirs.close()

    def hear(self, context: Context) -> None:
        """Hand on the next thing it said; wait for its end where that was the last."""
        try:
            kind, said = self.said.recv()
        except EOFError:
            self._process.join()
            kind, said = (
                "result",
                {
                    "failed": True,
                    "msg": "%s: its process ended before its work, with exit code %s."
                    % (self.job.name, self._process.exitcode),
                },
            )
        if kind == "result":
            self.result = said
            self._process.join()
            self.said.close()
        elif kind == "warning":
            context.warn(said)
        else:
            context.progress(said)

    def stop(self) -> None:
        """Have it undo what it does, and wait for that."""
        self._process.terminate()
        with contextlib.suppress(EOFError, OSError):
            while True:
                self.said.recv()
        self._process.join()


def _in_process(job: Job, results: Results, context: Context, said: multiprocessing.connection.Connection) -> None:
    # the handlers of the process that this one comes from are its own
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    ours = dataclasses.replace(
        context,
        warn=lambda text: said.send(("warning", text)),
        progress=lambda line: said.send(("progress", line)),
    )
    with unwound():
        # secrets are masked by the front, which knows them
        work = Capability(run=lambda params, own: job.run(results, own), argument_spec={})
        said.send(("result", outcome(work, {}, ours, lambda value: value)))


def streamed(work: Work[Item, Made], items: t.Iterable[Item], at_once: int) -> t.Iterator[Made]:
    """Work on things while they come, and yield what was made of each in their order.

    However many there are, only a few are held at a time. One alone is worked on here.

    :param at_once: how many processes.
    :raises DeliveryError: what the work raised, and nothing is worked on any more.
    """
    coming = iter(items)
    first = list(itertools.islice(coming, 2))
    if at_once == 1 or len(first) < 2:
        with work() as make:
            for item in itertools.chain(first, coming):
                yield make(item)
        return
    yield from _Workers(work, at_once).streamed(itertools.chain(first, coming))


class _Workers(t.Generic[Item, Made]):
    """Processes that each work on one thing after the other."""

    def __init__(self, work: Work[Item, Made], at_once: int) -> None:
        self._work = work
        self._at_once = at_once
        self._processes: t.List[multiprocessing.process.BaseProcess] = []
        self._idle: t.List[multiprocessing.connection.Connection] = []
        self._busy: t.Dict[multiprocessing.connection.Connection, int] = {}

    def streamed(self, items: t.Iterator[Item]) -> t.Iterator[Made]:
        made: t.Dict[int, Made] = {}
        given = due = 0
        more = True
        try:
            while more or due < given:
                while more and given - due < self._at_once * _AHEAD and len(self._busy) < self._at_once:
                    for item in itertools.islice(items, 1):
                        self._give(given, item)
                        given += 1
                        break
                    else:
                        more = False
                if self._busy and due not in made:
                    for pipe in multiprocessing.connection.wait(list(self._busy)):
                        self._take(t.cast("multiprocessing.connection.Connection", pipe), made)
                while due in made:
                    yield made.pop(due)
                    due += 1
        finally:
            for process in self._processes:
                process.terminate()
            for process in self._processes:
                process.join()
            for pipe in (*self._idle, *self._busy):
                pipe.close()

    def _give(self, number: int, item: Item) -> None:
        if not self._idle:
            ours, theirs = _FORK.Pipe()
            inherited = [ours, *self._idle, *self._busy]
            # a generator that nobody closes must not keep the end of this process
            process = _FORK.Process(target=_works, args=(self._work, theirs, inherited), daemon=True)
            process.start()
            theirs.close()
            self._processes.append(process)
            self._idle.append(ours)
        pipe = self._idle.pop()
        self._busy[pipe] = number
        pipe.send(item)

    def _take(self, pipe: multiprocessing.connection.Connection, made: t.Dict[int, Made]) -> None:
        try:
            kind, said = pipe.recv()
        except EOFError:
            raise RuntimeError("a process ended before its work") from None
        if kind == "refused":
            raise DeliveryError(said[0], **said[1])
        if kind == "fault":
            raise RuntimeError(said)
        made[self._busy.pop(pipe)] = said
        self._idle.append(pipe)


def _works(
    work: Work[Item, Made],
    pipe: multiprocessing.connection.Connection,
    inherited: t.Sequence[multiprocessing.connection.Connection],
) -> None:
    """:param inherited: the other process' ends of pipes: while they are open here, nobody sees that process end."""
    # what it has open is read from, and may be cut
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    for other in inherited:
        other.close()
    with work() as make, contextlib.suppress(EOFError, OSError):
        while True:
            item = pipe.recv()
            try:
                pipe.send(("made", make(item)))
            except DeliveryError as error:
                pipe.send(("refused", (str(error), error.facts)))
            except Exception:
                pipe.send(("fault", traceback.format_exc(limit=-4)))
