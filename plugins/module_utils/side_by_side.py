# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Jobs in processes of their own, as many at once as may be, each after those that it waits for.

Processes, not threads: one that is told to stop unwinds what it does, and those that compute do so on processors of their own.
What they say comes to the process that started them, which hands it on line by line while they run.
"""

from __future__ import annotations

import contextlib
import dataclasses
import multiprocessing
import multiprocessing.connection
import signal
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Capability, Context, outcome
from ansible_collections.longshore.delivery.plugins.module_utils.interruption import unwound

Result = t.Dict[str, t.Any]
Results = t.Sequence[t.Optional[Result]]

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
