# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what was seen to verdicts, and from those to the table of the twelve factors."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import DockerAddress
from ansible_collections.longshore.delivery.plugins.module_utils.trial import factors, verdicts
from ansible_collections.longshore.delivery.plugins.module_utils.trial.condition import fault
from ansible_collections.longshore.delivery.plugins.module_utils.trial.observed import (
    Answer,
    Output,
    Start,
    State,
    Stop,
    WithChange,
    WithoutVariable,
)
from ansible_collections.longshore.delivery.plugins.module_utils.trial.plan import Plan, Point
from ansible_collections.longshore.delivery.plugins.module_utils.trial.verdicts import FAIL, NOT_ASKED, PASS, Verdict
from ansible_collections.longshore.delivery.plugins.module_utils.trial.wanted import Assertion, Condition, Wanted

MIB = 1024**2
RUNS, ENDED = State(True), State(False, 3)
UP, DOWN = Start(True, 0.5, RUNS), Start(False, 0.5, ENDED, "refused", ("no disk",))
DEAF = Start(False, 30, RUNS, "port 8080: Connection refused")
WANTED = Wanted("a/b:1", DockerAddress("unix:///x"))
PLAN = Plan((), 8080, (8080,), "10001")
OK = Answer(200, "ok", "text/plain")


def point(kind: str) -> Point:
    return Point(kind, "", "what is to be")


def shows(verdict: Verdict, word: str, detail: str) -> None:
    assert (verdict.verdict, detail in verdict.detail) == (word, True), verdict


@pytest.mark.parametrize(
    ("start", "word", "detail"),
    [
        (UP, PASS, "after 0.5 s, with no capability"),
        (DEAF, PASS, "it runs after 30 s"),
        (DOWN, FAIL, "it ended with exit code 3. Its last words: no disk"),
        (Start(False, 1, State(False, 1)), FAIL, "exit code 1, without a word"),
        (Start(False, 1, State(False, 137, out_of_memory=True)), FAIL, "more than 256 MiB of memory (exit code 137)"),
        (Start(False, 1, State(False, 137)), FAIL, "as one that is killed: for using more than 256 MiB of memory"),
        (Start(False, 1, State(False, 127, refused="exec: no such file")), FAIL, "could not start it: exec: no such"),
    ],
)
def test_starts(start: Start, word: str, detail: str) -> None:
    shows(verdicts.starts(point("starts"), start, WANTED, PLAN, "no capability"), word, detail)


@pytest.mark.parametrize(
    ("start", "word", "detail"),
    [
        (UP, PASS, "after 0.5 s"),
        (DEAF, FAIL, "nothing listens on port 8080 after 30 s (port 8080: Connection refused)"),
        (DEAF, FAIL, "listen on 0.0.0.0, or on :: with IPv4 as well, not on 127.0.0.1, ::1 or IPv6 alone"),
        (DOWN, NOT_ASKED, "it did not start"),
    ],
)
def test_listens(start: Start, word: str, detail: str) -> None:
    shows(verdicts.listens(point("listens"), start, WANTED, PLAN), word, detail)


@pytest.mark.parametrize(
    ("kind", "answer", "word", "detail"),
    [
        ("health", OK, PASS, "status 200, text/plain"),
        ("health", Answer(399), PASS, "status 399"),
        ("health", Answer(199), FAIL, "status 199, not 200 to 399"),
        ("health", Answer(400, "no such\n thing"), FAIL, "status 400, not 200 to 399: no such thing"),
        ("health", Answer(problem="port 8080: no answer"), FAIL, "no answer"),
        ("health", Answer(), FAIL, "no answer"),
        ("ready", Answer(200), PASS, "no content type"),
        ("health", dataclasses.replace(OK, endless="it has no end"), FAIL, "status 200, but it has no end"),
        ("metrics", OK, PASS, "status 200"),
        ("metrics", Answer(200, " \n"), FAIL, "nothing in it"),
    ],
)
def test_endpoints(kind: str, answer: Answer, word: str, detail: str) -> None:
    shows(verdicts.endpoint(point(kind), answer), word, detail)


ANY = Assertion("any", http="/")
JSON = Assertion("json", http="/", condition=Condition(jmespath="items[?n=='a']"))
TEXT = Assertion("text", http="/", status=404, condition=Condition(regex="^b$"))
COMMAND = Assertion("command", command=("true",), condition=Condition(regex="done"))
TCP = Assertion("tcp", tcp=9090)


@pytest.mark.parametrize(
    ("wanted", "answer", "word", "detail"),
    [
        (ANY, Answer(302), PASS, "status 302"),
        (ANY, Answer(500), FAIL, "status 500, not 200 to 399"),
        (ANY, Answer(200, endless="it has no end"), PASS, "status 200; it has no end"),
        (TEXT, Answer(404, "a", endless="it has no end"), FAIL, "is not found in it: a; it has no end"),
        (JSON, Answer(200, '{"items": [{"n": "a"}]}'), PASS, "status 200"),
        (JSON, Answer(200, '{"items": []}'), FAIL, "does not hold"),
        (JSON, Answer(200, "<html>"), FAIL, "it is no JSON: <html>"),
        (TEXT, Answer(404, "a\nb\nc"), PASS, "status 404"),
        (TEXT, Answer(404, "abc"), FAIL, "the regular expression '^b$' is not found in it: abc"),
        (TEXT, Answer(200, "b"), FAIL, "status 200, not 404"),
        (COMMAND, Answer(0, "done"), PASS, "exit code 0"),
        (COMMAND, Answer(0, "undone?"), PASS, "exit code 0"),
        (COMMAND, Answer(0, "failed"), FAIL, "'done' is not found"),
        (COMMAND, Answer(2, "done"), FAIL, "exit code 2: done"),
        (COMMAND, Answer(problem="it did not end within 5 s"), FAIL, "did not end"),
        (TCP, Answer(), PASS, "port 9090"),
        (TCP, Answer(problem="refused"), FAIL, "refused"),
    ],
)
def test_assertions(wanted: Assertion, answer: Answer, word: str, detail: str) -> None:
    shows(verdicts.assertion(point("assertion"), wanted, answer), word, detail)


def test_a_jmespath_expression_that_fails_says_why() -> None:
    assert "fails" in fault(Condition(jmespath="length(a)"), '{"a": 1}')


NAMES_IT = ("DB_PASSWORD is not set",)


@pytest.mark.parametrize(
    ("seen", "by_image", "word", "detail"),
    [
        (WithoutVariable("DB_PASSWORD", False, State(False, 78), NAMES_IT), False, PASS, "exit code 78 and names it"),
        (WithoutVariable("DB_PASSWORD", False, State(False, 78), NAMES_IT), True, FAIL, "the image sets DB_PASSWORD"),
        (WithoutVariable("DB_PASSWORD", True, RUNS), False, FAIL, "as if nothing was missing"),
        (WithoutVariable("DB_PASSWORD", False, RUNS), False, FAIL, "still runs after 30 s"),
        (WithoutVariable("DB_PASSWORD", False, State(False, 0), NAMES_IT), False, FAIL, "exit code 0, as if all"),
        (WithoutVariable("DB_PASSWORD", False, ENDED, ("oops",)), False, FAIL, "nothing it writes names DB_PASSWORD"),
        (WithoutVariable("DB", False, ENDED, NAMES_IT), False, FAIL, "nothing it writes names DB"),
        (WithoutVariable("DB", False, State(False, 137, True), ("DB",)), False, FAIL, "memory"),
        (WithoutVariable("DB", False, State(False, 127, refused="no DB")), False, FAIL, "could not start it: no DB"),
    ],
)
def test_required_variables(seen: WithoutVariable, by_image: bool, word: str, detail: str) -> None:
    shows(verdicts.required_env(point("required_env"), seen, by_image, WANTED, 1.0), word, detail)


@pytest.mark.parametrize(
    ("ran", "complete", "word"), [(10, 1.0, PASS), (11, 1.0, FAIL), (40, 20.0, PASS), (41, 20.0, FAIL)]
)
def test_without_a_required_variable_it_ends_sooner_than_it_would_be_up(ran: int, complete: float, word: str) -> None:
    seen = WithoutVariable("DB_PASSWORD", False, State(False, 78, seconds=ran), NAMES_IT)
    detail = "exit code 78 and names it" if word == PASS else f"it ends after {ran} s only"
    shows(verdicts.required_env(point("required_env"), seen, False, WANTED, complete), word, detail)


A, B = Answer(200, "Welcome"), Answer(200, "Moin")


@pytest.mark.parametrize(
    ("seen", "regex", "word", "detail"),
    [
        (WithChange(A, A, B, UP), "", PASS, "another answer"),
        (WithChange(A, A, A, UP), "", FAIL, "the same with the change"),
        (WithChange(A, B, A, UP), "", FAIL, "two copies answer differently"),
        (WithChange(A, A, Answer(404, "Welcome"), UP), "", PASS, "another answer"),
        (WithChange(A, B, B, UP), "^Moin$", PASS, "with the change only"),
        (WithChange(B, B, B, UP), "Moin", FAIL, "without the change as well"),
        (WithChange(A, A, A, UP), "Moin", FAIL, "'Moin' is not in it: Welcome"),
        (WithChange(A, A, Answer(), DOWN), "", FAIL, "with the change it ended with exit code 3"),
        (WithChange(A, A, Answer(), DEAF), "", FAIL, "does not get ready"),
        (WithChange(A, A, Answer(problem="reset"), UP), "", FAIL, "reset"),
    ],
)
def test_changed_variables(seen: WithChange, regex: str, word: str, detail: str) -> None:
    shows(verdicts.changed_env(point("changed_env"), regex, seen, 256 * MIB), word, detail)


@pytest.mark.parametrize(
    ("named", "number", "word", "detail"),
    [
        ("", None, FAIL, "it names no user"),
        ("0", 0, FAIL, "its user 0 is root"),
        ("root:root", 0, FAIL, "is root"),
        ("toor", 0, FAIL, "is root"),
        ("app", None, FAIL, "does not tell"),
        ("10001:10001", 10001, PASS, "as 10001:10001"),
        ("app", 100, PASS, "as app, which is 100; Kubernetes"),
    ],
)
def test_users(named: str, number: int | None, word: str, detail: str) -> None:
    shows(verdicts.user(point("user"), named, number), word, detail)


@pytest.mark.parametrize(
    ("output", "word", "detail"),
    [
        (Output(3), PASS, "3 lines there"),
        (Output(3, ("/data/state", "/etc/blog", "/srv/catalog")), PASS, "3 lines"),
        (Output(0), NOT_ASKED, "it wrote nothing"),
        (Output(0, ("/var/log/app",)), FAIL, "it logs to /var/log/app, and nothing to stdout"),
        (Output(3, ("/srv/access.log",)), FAIL, "it logs to /srv/access.log"),
        (Output(3, ("/srv/access.log.1",)), FAIL, "/srv/access.log.1"),
        (Output(3, ("/srv/a.out", "/srv/logs/b")), FAIL, "/srv/a.out, /srv/logs/b"),
    ],
)
def test_logs(output: Output, word: str, detail: str) -> None:
    shows(verdicts.logs(point("logs"), output), word, detail)


def test_stops() -> None:
    shows(verdicts.stops(point("stops"), Stop("SIGTERM", True, 0.25, 143), WANTED), PASS, "0.2 s, with exit code 143")
    shows(verdicts.stops(point("stops"), Stop("SIGQUIT", False, 30), WANTED), FAIL, "still ran 30 s after SIGQUIT")
    ended = Stop("SIGTERM", True, 0, 3, before=ENDED)
    shows(verdicts.stops(point("stops"), ended, WANTED), FAIL, "before SIGTERM was sent, it ended with exit code 3")


def test_one_that_fails_and_has_ended_says_how() -> None:
    failed = Verdict(point("health"), FAIL, "connection refused")
    assert verdicts.with_end(failed, RUNS, 256 * MIB) == failed
    killed = State(False, 137, out_of_memory=True)
    shows(
        verdicts.with_end(failed, killed, 256 * MIB), FAIL, "connection refused; it was killed for using more than 256"
    )
    passed = Verdict(point("health"), PASS, "status 200")
    assert verdicts.with_end(passed, killed, 256 * MIB) == passed


@pytest.mark.parametrize(
    ("strict", "restart", "volumes", "word", "detail"),
    [
        (UP, UP, (), PASS, "and again after 0.5 s"),
        (UP, UP, ("/data",), PASS, "but for its volumes /data"),
        (UP, DOWN, (), FAIL, "did not come up again after its end; its last words: no disk"),
        (DOWN, None, (), FAIL, "where it can, it writes /a; its last words: no disk. List in 'tmpfs'"),
    ],
)
def test_transient(strict: Start, restart: Start | None, volumes: tuple[str, ...], word: str, detail: str) -> None:
    shows(verdicts.transient(point("transient"), strict, restart, ("/a",), volumes), word, detail)


@pytest.mark.parametrize(
    ("second", "word", "detail"), [(UP, PASS, "0.5 s"), (DEAF, FAIL, "refused"), (DOWN, FAIL, "code 3")]
)
def test_copies(second: Start, word: str, detail: str) -> None:
    shows(
        verdicts.copies(
            point("copies"), dataclasses.replace(second, connecting="refused" if second is DEAF else ""), 1
        ),
        word,
        detail,
    )


SHOWN = ("starts", "listens", "required_env", "stops", "transient", "copies", "logs")


def table(*failed: str, unasked: tuple[str, ...] = ()) -> dict[int, tuple[str, str]]:
    """Verdict and explanation of each factor."""
    found = [
        Verdict(point(kind), FAIL if kind in failed else NOT_ASKED if kind in unasked else PASS, f"{kind} seen")
        for kind in SHOWN
    ]
    return {row["factor"]: (row["verdict"], row["how"]) for row in factors.twelve_factors(found)}


def test_what_no_image_shows_is_not_claimed_and_says_why() -> None:
    rows = table()
    assert sorted(rows) == list(range(1, 13))
    assert [number for number, row in rows.items() if row[0] == "not claimed"] == [1, 4, 5, 10, 12]
    assert {row[0] for row in rows.values()} == {PASS, "not claimed"}
    assert all(row[1] for row in rows.values())


@pytest.mark.parametrize(
    ("kind", "numbers"),
    [
        ("starts", [2, 9]),
        ("required_env", [3]),
        ("transient", [6]),
        ("listens", [7]),
        ("copies", [8]),
        ("stops", [9]),
        ("logs", [11]),
    ],
)
def test_a_point_that_fails_or_is_not_asked_fails_its_factors_or_leaves_them_open(
    kind: str, numbers: list[int]
) -> None:
    for rows, word in ((table(kind), FAIL), (table(unasked=(kind,)), NOT_ASKED)):
        assert [number for number, row in rows.items() if row[0] == word] == numbers
        assert all(rows[number][1] == f"{kind} seen" for number in numbers)


def test_the_table_fits_a_screen() -> None:
    lines = factors.lines(factors.twelve_factors([]))
    assert (
        lines[0] == "   1 Codebase             not claimed one codebase with many deploys is a matter of the repository"
    )
    assert len(lines) == 12
