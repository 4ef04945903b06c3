# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""image_trial on dock's engine: an image that keeps the contract, and one for each point that fails it."""

from __future__ import annotations

import typing as t
import uuid

import docker
import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.trial import questions
from ansible_collections.longshore.delivery.plugins.module_utils.trial.image_trial import CAPABILITY
from ansible_collections.longshore.delivery.plugins.plugin_utils.in_process import run_command
from tests import returned
from tests.integration.distribution.lab import BUILDS, builders_engine

from .images import PORT, USER, Images

pytestmark = pytest.mark.lab

LABEL = "delivery.longshore.trial"
PASSWORD = "a-long-secret-6f1b"


class Trials:
    """image_trial on dock's engine, and the engine asked directly."""

    def __init__(self) -> None:
        self.engine: docker.DockerClient = builders_engine()
        self.images = Images(self.engine, f"longshore.test/{uuid.uuid4().hex[:12]}")
        self.said: list[str] = []
        self._references: dict[str, str] = {}

    def image(self, name: str) -> str:
        if name not in self._references:
            self._references[name] = self.images.make(name)
        return self._references[name]

    def run(self, name: str, *, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        """The result, of one that failed as well, which then has a message."""
        given = {
            "image": self.image(name),
            "secrets": {"DB_PASSWORD": PASSWORD},
            "start_timeout": 10,
            "stop_timeout": 2,
            **BUILDS,
            **options,
        }
        checked = ArgumentSpecValidator(CAPABILITY.argument_spec).validate(given)
        assert checked.error_messages == []
        self.said = []
        context = Context(
            check=check, diff=False, warn=self.said.append, progress=self.said.append, run_command=run_command
        )
        try:
            result = returned.run("image_trial", checked.validated_parameters, context)
        except DeliveryError as error:
            result = {**error.facts, "msg": str(error)}
        return result

    def left(self) -> list[t.Any]:
        mine = {*self._references.values(), *(self.engine.images.get(name).id for name in self._references.values())}
        listed = self.engine.api.containers(all=True, filters={"label": LABEL})
        return [found for found in listed if found["Image"] in mine]


@pytest.fixture(scope="module")
def trials() -> t.Iterator[Trials]:
    made = Trials()
    yield made
    left = made.left()
    for found in left:
        made.engine.api.remove_container(found["Id"], v=True, force=True)
    made.images.remove()
    made.engine.close()
    assert left == []


def points(result: dict[str, t.Any], verdict: str) -> dict[str, str]:
    """The details of the points with a verdict, by their names."""
    return {point["point"]: point["detail"] for point in result["points"] if point["verdict"] == verdict}


EVERYTHING: dict[str, t.Any] = {
    "health": "/health",
    "ready": "/ready",
    "metrics": "/metrics",
    "required_env": ["DB_PASSWORD"],
    "changed_env": [{"name": "GREETING", "value": "Moin", "path": "/cgi-bin/greeting"}],
    "assertions": [
        {"http": "/items.json", "jmespath": "items[?name=='anchor']", "status": 200},
        {"http": "/cgi-bin/greeting", "regex": "^Welcome$"},
        {"exec": ["sh", "-c", "echo $DB_PASSWORD"], "regex": "a-long"},
        {"tcp": PORT},
    ],
}


def test_one_that_keeps_the_contract_passes_every_point(trials: Trials) -> None:
    result = trials.run("good", **EVERYTHING)
    assert "msg" not in result, result["msg"]
    assert result["verdict"] == "pass"
    assert {point["verdict"] for point in result["points"]} == {"pass"}
    assert {row["verdict"] for row in result["twelve_factors"]} == {"pass", "not claimed"}
    assert [(entry["endpoint"], entry["status"], entry["body"]) for entry in result["endpoints"]] == [
        ("ready", 200, "ready\n"),
        ("health", 200, "ok\n"),
        ("metrics", 200, "requests_total 0\n"),
    ]
    assert points(result, "pass")["stops"].endswith("with exit code 0")
    assert trials.left() == []


BROKEN = {
    "ignores the signal": ({}, {"stops": "still ran 2 s after SIGTERM"}),
    "logs to a file": ({}, {"logs": "it logs to /var/log/app.log"}),
    "needs its file system": ({}, {"transient": "/data/state/n"}),
    "root": ({}, {"user": "it names no user"}),
    "does not listen": ({"start_timeout": 2}, {"listens": "nothing listens on port 8080 after 2 s"}),
    "goes without the variable": ({}, {"required_env": "as if nothing was missing"}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_one_that_breaks_a_point_fails_that_one_alone(trials: Trials, name: str) -> None:
    options, expected = BROKEN[name]
    result = trials.run(name, required_env=["DB_PASSWORD"], health="/health", **options)
    failed = points(result, "fail")
    assert set(failed) == set(expected)
    for point, text in expected.items():
        assert text in failed[point]
        assert text in result["msg"]
    assert result["image"]["reference"] in result["msg"]
    assert trials.left() == []


def test_a_point_that_is_accepted_fails_nothing(trials: Trials) -> None:
    result = trials.run("root", accept=["user"])
    assert "msg" not in result
    assert result["verdict"] == "fail"
    assert any("user: fail" in line and "accepted" in line for line in trials.said)


def test_a_user_given_is_the_one_it_runs_as(trials: Trials) -> None:
    result = trials.run("root", user=USER, assertions=[{"exec": ["sh", "-c", "echo $(( $(echo ~ | wc -c) ))"]}])
    assert points(result, "pass")["user"] == f"as {USER}"


def test_check_mode_says_what_would_be_tried_and_runs_nothing(trials: Trials) -> None:
    image = trials.image("good")
    before = trials.engine.api.events(since=0, until=1, decode=True)
    list(before)
    result = trials.run("good", check=True, health="/health")
    assert result["verdict"] == "not asked"
    assert "its health endpoint answers with a status of 200 to 399" in result["tried"]
    assert {point["verdict"] for point in result["points"]} == {"not asked"}
    assert trials.engine.containers.list(all=True, filters={"ancestor": image}) == []


def test_all_is_removed_when_it_is_interrupted(trials: Trials, monkeypatch: pytest.MonkeyPatch) -> None:
    running: list[int] = []

    def interrupt(*_arguments: t.Any) -> t.Any:
        running.append(len(trials.left()))
        raise KeyboardInterrupt

    monkeypatch.setattr(questions.Questions, "_running", interrupt)
    with pytest.raises(KeyboardInterrupt):
        trials.run("good")
    assert running == [2]
    assert trials.left() == []


def test_what_a_killed_trial_left_is_removed_by_the_next(trials: Trials) -> None:
    """A container whose owner, a process of this machine, has ended; and one that somebody else is still trying."""
    owner = "delivery.longshore.trial.owner"
    seconds = "delivery.longshore.trial.seconds"
    others = {LABEL: "other", owner: "elsewhere:1/1/1", seconds: "3600"}
    image = trials.image("good")
    left = trials.engine.api.create_container(image, labels={LABEL: "left", owner: dead_owner(), seconds: "3600"})
    theirs = trials.engine.api.create_container(image, labels=others)
    try:
        assert trials.run("good")["leftovers"] == 1
        assert [found["Id"] for found in trials.left()] == [theirs["Id"]]
    finally:
        for container in (left, theirs):
            try:
                trials.engine.api.remove_container(container["Id"], force=True)
            except docker.errors.NotFound:
                continue


def dead_owner() -> str:
    """What a process that has ended called itself."""
    import subprocess
    import sys

    from tests.conftest import CHECKOUT

    program = (
        "import tests.conftest\n"
        "from ansible_collections.longshore.delivery.plugins.module_utils.trial.owner import Owner\n"
        "print(Owner.here())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    return done.stdout.strip()
