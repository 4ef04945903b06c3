# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs beside one another: their order, what they say while they run, their failures, and their end when all is to end."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.interruption import Interrupted, unwound
from ansible_collections.longshore.delivery.plugins.module_utils.running import run_command
from ansible_collections.longshore.delivery.plugins.module_utils.side_by_side import (
    Job,
    Result,
    Results,
    run_jobs,
    streamed,
)

SECONDS = 60


class Said:
    """A context that keeps what is said."""

    def __init__(self, heard: t.Callable[[str], None] = lambda line: None) -> None:
        self.lines: list[str] = []

        def hear(line: str) -> None:
            self.lines.append(line)
            heard(line)

        self.context = Context(check=False, diff=False, warn=self.lines.append, progress=hear, run_command=run_command)


def await_file(path: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while not path.exists():
        if time.monotonic() > deadline:
            raise DeliveryError(f"nobody made {path}")
        time.sleep(0.01)


def simple(name: str, *after: int) -> Job:
    def run(results: Results, context: Context) -> Result:
        context.progress(name)
        return {"name": name, "seen": [result and result["name"] for result in results]}

    return Job(name, run, frozenset(after))


def test_a_job_comes_after_those_it_waits_for_and_sees_their_results() -> None:
    said = Said()
    results = run_jobs([simple("last", 1, 2), simple("first"), simple("second", 1)], 3, said.context)
    assert said.lines == ["first", "second", "last"]
    assert results[0] == {"name": "last", "seen": [None, "first", "second"], "changed": False}


def test_jobs_that_do_not_wait_for_one_another_run_at_once(tmp_path: Path) -> None:
    """Each ends only when the other has begun."""

    def meets(own: str, other: str) -> Job:
        def run(results: Results, context: Context) -> Result:
            (tmp_path / own).touch()
            await_file(tmp_path / other)
            return {}

        return Job(own, run)

    results = run_jobs([meets("a", "b"), meets("b", "a")], 2, Said().context)
    assert not any(result["failed"] for result in results if result and "failed" in result)


def test_no_more_run_at_once_than_may(tmp_path: Path) -> None:
    def alone(number: int) -> Job:
        def run(results: Results, context: Context) -> Result:
            try:
                (tmp_path / "one").touch(exist_ok=False)
            except FileExistsError:
                raise DeliveryError("two at once") from None
            time.sleep(0.05)
            (tmp_path / "one").unlink()
            return {}

        return Job(str(number), run)

    results = run_jobs([alone(number) for number in range(4)], 1, Said().context)
    assert [result for result in results if not result or result.get("failed")] == []


def test_a_line_is_heard_while_the_job_still_runs(tmp_path: Path) -> None:
    def run(results: Results, context: Context) -> Result:
        context.progress("look")
        await_file(tmp_path / "seen")
        context.warn("mind")
        return {}

    said = Said(lambda line: (tmp_path / "seen").touch())
    [result] = run_jobs([Job("a", run)], 1, said.context)
    assert result == {"changed": False}
    assert said.lines == ["look", "mind"]


def test_after_a_failure_nothing_is_begun_and_what_runs_comes_to_its_end(tmp_path: Path) -> None:
    def fails(results: Results, context: Context) -> Result:
        await_file(tmp_path / "runs")
        raise DeliveryError("no way", where="there")

    def ends_later(results: Results, context: Context) -> Result:
        (tmp_path / "runs").touch()
        time.sleep(0.2)
        return {"done": True}

    jobs = [Job("a", fails), Job("b", ends_later), simple("after", 1), simple("third")]
    failed, later, after, third = run_jobs(jobs, 2, Said().context)
    assert failed == {"changed": False, "where": "there", "failed": True, "msg": "no way"}
    assert later == {"done": True, "changed": False}
    assert (after, third) == (None, None)


def test_a_process_that_dies_is_a_failure_with_a_name() -> None:
    def dies(results: Results, context: Context) -> Result:
        os.kill(os.getpid(), signal.SIGKILL)
        return {}

    [result] = run_jobs([Job("shop/web:1", dies)], 1, Said().context)
    assert result
    assert result["failed"]
    assert result["msg"] == "shop/web:1: its process ended before its work, with exit code -9."


def test_what_is_known_needs_no_process() -> None:
    def run(results: Results, context: Context) -> Result:
        raise DeliveryError("it was begun")

    known = Job("known", run, frozenset((0,)), lambda results: {"from": results[0] and results[0]["name"]})
    assert run_jobs([simple("first"), known], 1, Said().context)[1] == {"from": "first"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_all_of_them_clean_up_when_they_are_told_to_end(tmp_path: Path, number: signal.Signals) -> None:
    """Before the process that runs them goes on, and with the programs that they run."""

    def works(name: str) -> Job:
        def run(results: Results, context: Context) -> Result:
            try:
                context.run_command(["sh", "-c", "echo runs; exec sleep 60"], on_line=context.progress)
            finally:
                (tmp_path / name).touch()
            return {}

        return Job(name, run)

    running: list[str] = []

    def interrupt(line: str) -> None:
        running.append(line)
        if len(running) == 2:
            os.kill(os.getpid(), number)

    before = {again: signal.signal(again, lambda got, frame: None) for again in (signal.SIGINT, signal.SIGTERM)}
    began = time.monotonic()
    try:
        with pytest.raises(Interrupted), unwound():
            run_jobs([works("a"), works("b")], 2, Said(interrupt).context)
    finally:
        for again, handler in before.items():
            signal.signal(again, handler)
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b"}
    assert time.monotonic() - began < 30


# ---- one job for many things ----


@contextlib.contextmanager
def doubling() -> t.Iterator[t.Callable[[int], tuple[int, int]]]:
    def double(number: int) -> tuple[int, int]:
        if number == 13:
            raise DeliveryError("13 is not for us", number=13)
        if number == 14:
            raise ValueError("14")
        if number == 15:
            os._exit(3)
        time.sleep(0.3 if number == 999 else 0.001 * (number % 7))
        return number * 2, os.getpid()

    yield double


def test_many_things_come_in_their_order_from_a_few_processes() -> None:
    made = list(streamed(doubling, iter([*range(13), *range(16, 60)]), 3))
    assert [double for double, _process in made] == [2 * number for number in [*range(13), *range(16, 60)]]
    processes = {process for _double, process in made}
    assert len(processes) == 3
    assert os.getpid() not in processes


@pytest.mark.parametrize(("numbers", "at_once"), [([1], 3), ([1, 2], 1), ([], 3)])
def test_what_needs_no_process_is_done_here(numbers: list[int], at_once: int) -> None:
    assert list(streamed(doubling, numbers, at_once)) == [(2 * number, os.getpid()) for number in numbers]


@pytest.mark.parametrize("first", [20, 999])
def test_things_are_taken_as_they_are_needed(first: int) -> None:
    """Also while the first is waited for, and all others would be done soon."""
    taken = []

    def coming() -> t.Iterator[int]:
        for number in [first, *range(21, 900)]:
            taken.append(number)
            yield number

    making = streamed(doubling, coming(), 2)
    assert next(making)[0] == 2 * first
    assert len(taken) <= 10
    t.cast("t.Generator[t.Any, None, None]", making).close()
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize(
    ("number", "error", "said"),
    [
        (13, DeliveryError, "13 is not for us"),
        (14, RuntimeError, "ValueError: 14"),
        (15, RuntimeError, "a process ended before its work"),
    ],
)
def test_what_goes_wrong_with_one_ends_the_others(number: int, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said) as raised:
        list(streamed(doubling, [1, 2, 3, number, *range(20, 200)], 2))
    assert multiprocessing.active_children() == []
    if isinstance(raised.value, DeliveryError):
        assert raised.value.facts == {"number": 13}


def test_what_nobody_closes_does_not_keep_a_process_from_its_end() -> None:
    def leaves() -> None:
        global KEPT
        KEPT = streamed(doubling, range(20, 900), 2)
        next(KEPT)

    process = multiprocessing.get_context("fork").Process(target=leaves)
    process.start()
    process.join(SECONDS)
    ended = process.exitcode
    process.kill()
    assert ended == 0


KEPT: t.Iterator[tuple[int, int]] = iter(())
