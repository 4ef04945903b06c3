# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which copies are made, with which variables, and what each is asked: of stand-ins for containers, which answer as told."""

from __future__ import annotations

import time
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.trial.copies import Copies
from ansible_collections.longshore.delivery.plugins.module_utils.trial.engine import Confinement
from ansible_collections.longshore.delivery.plugins.module_utils.trial.observed import Answer, State
from ansible_collections.longshore.delivery.plugins.module_utils.trial.plan import make_plan
from ansible_collections.longshore.delivery.plugins.module_utils.trial.questions import Questions
from ansible_collections.longshore.delivery.plugins.module_utils.trial.verdicts import Verdict
from ansible_collections.longshore.delivery.plugins.module_utils.trial.wanted import Wanted

from .test_options_to_container import GIVEN
from .test_trial_options import image, wanted


class Application:
    """A container whose application keeps the contract of GIVEN.

    :ivar asked: what was got, executed and connected to.
    """

    def __init__(self, env: t.Mapping[str, str], listens: bool, ends: bool) -> None:
        self.env = dict(env)
        self.running = "A" in env
        self.listens, self.ends = listens, ends
        self.asked: list[tuple[t.Any, ...]] = []
        self.users: list[str] = []

    def start(self) -> None:
        self.running = True

    def state(self) -> State:
        return State(running=self.running, exit_code=0 if self.running else 1)

    def log(self, lines: int | str = 50) -> tuple[str, ...]:
        return ("it needs A",)

    def written(self) -> tuple[str, ...]:
        return ()

    def signal(self, name: str) -> None:
        self.running = self.running and not self.ends and name != "SIGKILL"

    def user_number(self, user: str) -> int | None:
        self.users.append(user)
        return 1234

    def connect(self, port: int) -> Answer:
        self.asked.append((port,))
        return Answer() if self.listens and self.running and port in (81, 83) else Answer(problem="nothing listens")

    def get(self, port: int, path: str, headers: t.Mapping[str, str] | None = None) -> Answer:
        self.asked.append((port, path, dict(headers or {})))
        if (port, path) == (82, "/a"):
            return Answer(status=418, text='{"a": "yy"}')
        shown = "xx" if self.env.get("C") == "c" else "-"
        return Answer(status=200, text=shown) if port == 81 else Answer(problem="nothing listens")

    def execute(self, command: t.Sequence[str], seconds: float) -> Answer:
        self.asked.append((*command, seconds))
        return Answer(status=0, text="zz")


class Engine:
    """In the place of C(Containers)."""

    def __init__(self, listens: bool = True, ends: bool = True, only_confined: bool = False) -> None:
        """
        :param only_confined: whether it needs a directory that there is in memory only.
        """
        self.made: list[Application] = []
        self.listens, self.ends, self.only_confined = listens, ends, only_confined

    def start(self, confinement: Confinement, env: t.Mapping[str, str]) -> Application:
        application = Application(env, self.listens, self.ends)
        application.running = application.running and (confinement.read_only or not self.only_confined)
        self.made.append(application)
        return application

    def judged(self, read: Wanted) -> tuple[Questions, list[Verdict]]:
        config = image()
        plan = make_plan(read, config)
        questions = Questions(read, config, plan, Copies(t.cast(t.Any, self), read, plan, config), lambda _line: None)
        return questions, questions.asked()

    def asked(self, **options: t.Any) -> tuple[Questions, dict[str, str]]:
        """What came of each point, by its kind and subject."""
        questions, found = self.judged(wanted(**{**GIVEN, **options}))
        return questions, {
            " ".join(filter(None, (verdict.point.kind, verdict.point.subject))): f"{verdict.verdict}: {verdict.detail}"
            for verdict in found
        }


def test_all_that_is_wanted_is_asked_and_passes() -> None:
    engine = Engine()
    questions, found = engine.asked()
    assert [kind for kind, verdict in found.items() if not verdict.startswith("pass")] == []
    assert [endpoint["path"] for endpoint in questions.endpoints] == ["/ready", "/health", "/metrics"]
    first = engine.made[0]
    assert {(81,), (83,)} <= {asked for asked in first.asked if len(asked) == 1}
    assert (82, "/a", {"H": "h"}) in first.asked
    assert ("a", "b", 5) in first.asked
    assert first.users == ["1234:5"]
    assert [made.env for made in engine.made] == [
        {"A": "1", "B": "2"},
        {"A": "1", "B": "2"},
        {"A": "1", "B": "2", "C": "c"},
        {"B": "2"},
        {"A": "1", "B": "2"},
    ]


def test_a_change_that_does_not_show_as_it_is_to_show_fails() -> None:
    change = {"name": "C", "value": "c", "path": "/c"}
    _questions, found = Engine().asked(changed_env=[{**change, "regex": "other"}])
    assert found["changed_env C"].startswith("fail")
    _questions, found = Engine().asked(changed_env=[{**change, "value": "d"}])
    assert found["changed_env C"].startswith("fail")


def test_what_writes_where_there_is_memory_only_runs_twice_all_the_same() -> None:
    _questions, found = Engine(only_confined=True).asked()
    assert found["copies"].startswith("pass")


def test_points_of_the_same_words_are_judged_each_for_itself() -> None:
    change = {"name": "C", "value": "c", "path": "/c"}
    engine = Engine()
    read = wanted(**{**GIVEN, "changed_env": [{**change, "regex": "other"}, {**change, "regex": "x+"}]})
    judged = [verdict.verdict for verdict in engine.judged(read)[1] if verdict.point.kind == "changed_env"]
    assert judged == ["fail", "pass"]


def test_what_is_not_needed_is_not_missed() -> None:
    _questions, found = Engine().asked(required_env=["B"])
    assert found["required_env B"].startswith("fail")


@pytest.mark.parametrize(
    ("application", "options", "point", "said"),
    [
        ({"listens": False}, {"start_timeout": 1}, "listens", "nothing listens on port 81 after 1 s"),
        ({"ends": False}, {"stop_timeout": 1}, "stops", "it still ran 1 s after SIGTERM"),
    ],
)
def test_it_is_waited_for_as_long_as_is_said(
    application: dict[str, t.Any], options: dict[str, t.Any], point: str, said: str
) -> None:
    began = time.monotonic()
    _questions, found = Engine(**application).asked(**options)
    assert said in found[point]
    assert time.monotonic() - began < 25  # by default these are 30 s
