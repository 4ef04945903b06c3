# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""image_trial on dock's engine: an image that keeps the contract, and one for each point that fails it."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import functools
import signal
import subprocess
import sys
import typing as t
import uuid
from pathlib import Path

import docker
import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.running import run_command
from ansible_collections.longshore.delivery.plugins.module_utils.trial.image_trial import CAPABILITY
from ansible_collections.longshore.delivery.plugins.module_utils.trial.owner import (
    OWNER_LABEL,
    RUN_LABEL,
    SECONDS_LABEL,
    Owner,
)
from ansible_collections.longshore.delivery.plugins.module_utils.trial.probes import await_
from tests import returned
from tests.demo.settings import COLLECTIONS
from tests.integration.distribution.lab import BUILDS, builders_engine
from tests.unit.fronts.playbook import AS_A_MODULE, Playbook

from .images import PORT, USER, VOLUME, Images

pytestmark = [pytest.mark.lab, pytest.mark.wide]

# so long that a slow machine fails nothing
PATIENT = {"start_timeout": 60, "stop_timeout": 60}
SECRETS = {"DB_PASSWORD": "a-long-secret-6f1b"}


@dataclasses.dataclass
class Trial:
    """What came of one.

    :ivar message: of one that failed.
    :ivar containers: those that ran when the first point was judged, as the engine describes them.
    """

    result: dict[str, t.Any]
    message: str
    said: list[str]
    containers: list[dict[str, t.Any]]

    @property
    def limits(self) -> list[dict[str, t.Any]]:
        return [found["HostConfig"] for found in self.containers]

    def points(self, verdict: str) -> dict[str, str]:
        """The details of the points with a verdict, by their names."""
        listed = self.result["points"]
        return {point["point"]: point["detail"] for point in listed if point["verdict"] == verdict}


class Trials:
    """image_trial on dock's engine, and the engine asked directly."""

    def __init__(self) -> None:
        self.engine: docker.DockerClient = builders_engine()
        self.images = Images(self.engine, f"longshore.test/{uuid.uuid4().hex[:12]}")
        self._references: dict[str, str] = {}

    def image(self, name: str) -> str:
        if name not in self._references:
            self._references[name] = self.images.make(name)
        return self._references[name]

    def run(self, name: str, *, check: bool = False, **options: t.Any) -> Trial:
        image = self.image(name)
        given = {"image": image, "secrets": SECRETS, **PATIENT, **BUILDS, **options}
        checked = ArgumentSpecValidator(CAPABILITY.argument_spec).validate(given)
        assert checked.error_messages == []
        trial = Trial({}, "", [], [])

        def progress(line: str) -> None:
            trial.said.append(line)
            if not trial.containers:
                trial.containers = [self.engine.api.inspect_container(found["Id"]) for found in self.of(image)]

        context = Context(check=check, diff=False, warn=trial.said.append, progress=progress, run_command=run_command)
        try:
            trial.result = returned.run("image_trial", checked.validated_parameters, context)
        except DeliveryError as error:
            trial.result, trial.message = error.facts, str(error)
        return trial

    def of(self, *images: str) -> list[dict[str, t.Any]]:
        """The containers of images, by a trial or like one."""
        wanted = {*images, *(self.engine.images.get(image).id for image in images)}
        listed = self.engine.api.containers(all=True, filters={"label": RUN_LABEL})
        return [found for found in listed if found["Image"] in wanted]

    def left(self) -> list[dict[str, t.Any]]:
        return self.of(*self._references.values())

    def remove(self, container: str) -> None:
        with contextlib.suppress(docker.errors.NotFound):
            self.engine.api.remove_container(container, v=True, force=True)


@pytest.fixture(scope="module")
def trials() -> t.Iterator[Trials]:
    made = Trials()
    yield made
    left = made.left()
    for found in left:
        made.remove(found["Id"])
    made.images.remove()
    made.engine.close()
    assert left == []


ASKED: dict[str, t.Any] = {"required_env": ["DB_PASSWORD"], "health": "/health"}
GOOD: dict[str, t.Any] = {
    **ASKED,
    "ready": "/ready",
    "metrics": "/metrics",
    "changed_env": [{"name": "GREETING", "value": "Moin", "path": "/cgi-bin/greeting"}],
    "assertions": [
        {"http": "/items.json", "jmespath": "items[?name=='anchor']", "status": 200},
        {"http": "/cgi-bin/greeting", "regex": "^Welcome$"},
        {"exec": ["sh", "-c", "echo $DB_PASSWORD"], "regex": "a-long"},
        {"tcp": PORT},
    ],
}
OPTIONS: dict[str, t.Any] = {
    "command": ["serve"],
    "env": {"PORT": 8081},
    "port": 8081,
    "memory": "64m",
    "cpus": 0.5,
    "tmpfs": ["/tmp", "/var/cache"],
    "assertions": [
        {"exec": ["sh", "-c", "echo x > /var/cache/x"]},
        {"exec": ["sh", "-c", "echo x > /data/x || echo no"], "regex": "^no$"},
        {"exec": ["cat", "/proc/1/status"], "regex": r"^CapEff:\s0+$"},
        {"exec": ["cat", "/proc/1/status"], "regex": r"^NoNewPrivs:\s1$"},
        {"exec": ["sh", "-c", "yes | head -c 5000000; echo y >&2"], "regex": "^y$"},
        {"name": "too long", "exec": ["yes", "aaaa"], "timeout": 1},
        {"name": "goes on", "exec": ["sh", "-c", "exec sleep 60 > /dev/null 2>&1"], "timeout": 1},
    ],
    "changed_env": [{"name": "GREETING", "value": "Moin", "path": "/cgi-bin/whoami"}],
    "accept": ["assertion", "changed_env"],
}
# options, and what its failed points say
BROKEN: dict[str, tuple[dict[str, t.Any], dict[str, str]]] = {
    "ignores the signal": ({"stop_timeout": 2}, {"stops": "still ran 2 s after SIGTERM"}),
    "logs to a file": ({}, {"logs": "it logs to /var/log/app.log"}),
    "needs its file system": ({}, {"transient": "/data/state/n"}),
    "root": ({}, {"user": "it names no user"}),
    "does not listen": ({"start_timeout": 2}, {"listens": f"nothing listens on port {PORT} after 2 s"}),
    "goes without the variable": ({}, {"required_env": "as if nothing was missing"}),
    "fills its memory": ({"memory": "16m"}, {"starts": "it was killed for using more than 16 MiB of memory"}),
    "fills it when asked": (
        {"memory": "16m", "assertions": [{"http": "/cgi-bin/fill", "regex": "never", "timeout": 60}]},
        {
            "assertion": "it was killed for using more than 16 MiB of memory",
            "stops": "before SIGTERM was sent, it was killed for using more than 16 MiB of memory",
        },
    ),
}


@pytest.fixture(scope="module")
def tried(trials: Trials) -> dict[str, Trial]:
    """Trials side by side, none of which is to disturb another."""
    wanted = {
        "good": GOOD,
        "has options": OPTIONS,
        "writes to memory": {**ASKED, "tmpfs": ["/scratch"]},
        **{name: {**ASKED, **given} for name, (given, _failed) in BROKEN.items()},
    }
    for name in wanted:
        trials.image(name)
    with concurrent.futures.ThreadPoolExecutor(5) as threads:
        running = {name: threads.submit(trials.run, name, **options) for name, options in wanted.items()}
    return {name: trial.result() for name, trial in running.items()}


def test_one_that_keeps_the_contract_passes_every_point(tried: dict[str, Trial]) -> None:
    trial = tried["good"]
    assert trial.message == ""
    result = trial.result
    assert (result["verdict"], result["changed"]) == ("pass", False)
    assert {point["verdict"] for point in result["points"]} == {"pass"}
    assert {row["verdict"] for row in result["twelve_factors"]} == {"pass", "not claimed"}
    assert [(entry["endpoint"], entry["status"], entry["body"]) for entry in result["endpoints"]] == [
        ("ready", 200, "ready\n"),
        ("health", 200, "ok\n"),
        ("metrics", 200, "requests_total 0\n"),
    ]
    assert trial.points("pass")["stops"].endswith("with exit code 0")
    assert result["log"][-1] == "stopping"


def test_what_writes_to_memory_alone_passes_where_its_image_has_no_such_directory(tried: dict[str, Trial]) -> None:
    """Also when it is started again, by a user who is not root."""
    assert (tried["writes to memory"].message, tried["writes to memory"].points("fail")) == ("", {})


@pytest.mark.parametrize("name", BROKEN)
def test_one_that_breaks_a_point_fails_that_one_alone(tried: dict[str, Trial], name: str) -> None:
    trial = tried[name]
    expected = BROKEN[name][1]
    failed = trial.points("fail")
    assert set(failed) == set(expected)
    for point, text in expected.items():
        assert text in failed[point]
        assert text in trial.message
    assert trial.result["image"]["reference"] in trial.message


def test_nothing_of_them_is_left(tried: dict[str, Trial], trials: Trials) -> None:
    assert trials.left() == []


def test_each_is_confined_as_the_options_say(tried: dict[str, Trial]) -> None:
    """All but one of a trial's first copies may write nothing but what is in memory."""
    for name, memory, cpus in (("good", 256, 1.0), ("has options", 64, 0.5)):
        limits = tried[name].limits
        assert sorted(limit["ReadonlyRootfs"] for limit in limits) == [False, True]
        # none that would write to its file system what the application does not
        assert [found["Config"]["Healthcheck"]["Test"] for found in tried[name].containers] == [["NONE"]] * 2
        for limit in limits:
            assert (limit["Memory"], limit["MemorySwap"]) == (memory * 1024**2, memory * 1024**2)
            assert limit["NanoCpus"] == int(cpus * 1e9)
            assert limit["SecurityOpt"] == ["no-new-privileges"]
            assert not limit["CapAdd"]
            assert not limit["Privileged"]
            assert not limit["Binds"]
    [strict] = [limit for limit in tried["has options"].limits if limit["ReadonlyRootfs"]]
    assert strict["CapDrop"] == ["ALL"]
    assert sorted(strict["Tmpfs"]) == ["/tmp", "/var/cache"]


def test_what_the_options_say_holds_in_the_container(tried: dict[str, Trial]) -> None:
    """By a command, on a port and with a variable of the task's. What does not end, or shows no change, fails and is accepted."""
    trial = tried["has options"]
    assert trial.message == ""
    failed = [point["subject"] for point in trial.result["points"] if point["verdict"] == "fail"]
    assert failed == ["too long", "goes on", "GREETING"]
    assert "the command did not end within 1 s" in trial.points("fail")["assertion"]
    assert "two copies answer differently" in trial.points("fail")["changed_env"]
    assert any("too long" in line and "(accepted)" in line for line in trial.said)


def test_check_mode_says_what_would_be_tried_and_runs_nothing(trials: Trials) -> None:
    image = trials.image("good")
    trial = trials.run("good", check=True, health="/health")
    assert trial.result["verdict"] == "not asked"
    assert "its health endpoint answers with a status of 200 to 399" in trial.result["tried"]
    assert {point["verdict"] for point in trial.result["points"]} == {"not asked"}
    assert trials.of(image) == []
    assert trial.said == []


def test_an_image_that_the_engine_has_not_is_named(trials: Trials) -> None:
    missing = f"{trials.images.prefix}/missing:1"
    assert f"has no image {missing}. Build it there" in trials.run("good", image=missing).message
    foretold = trials.run("good", check=True, image=missing)
    assert (foretold.result["image"]["id"], foretold.result["tried"]) == (None, [])
    assert f"has no image {missing}. What comes before" in foretold.said[0]


def test_the_volumes_of_an_image_go_with_its_containers(tried: dict[str, Trial], trials: Trials) -> None:
    trial = tried["has options"]
    mounted = [mount for found in trial.containers for mount in found["Mounts"] if mount["Destination"] == VOLUME]
    assert len(mounted) == 2
    for mount in mounted:
        with pytest.raises(docker.errors.NotFound):
            trials.engine.api.inspect_volume(mount["Name"])
    assert f"but for its volumes {VOLUME}" in trial.points("pass")["transient"]


def test_all_is_removed_when_ansible_playbook_is_told_to_end(trials: Trials, tmp_path: Path) -> None:
    """In process as Ctrl-C does it, and as a module as a system does that shuts down: SIGTERM ends a Python at once."""
    playbook = Playbook(COLLECTIONS, tmp_path)
    runs: dict[str, tuple[dict[str, t.Any], signal.Signals]] = {
        "does not listen": ({}, signal.SIGINT),
        "has options": (AS_A_MODULE, signal.SIGTERM),
    }
    started = {}
    for name, (play, _number) in runs.items():
        options = {"image": trials.image(name), "secrets": SECRETS, "start_timeout": 300, "port": PORT, **BUILDS}
        # it waits for the right port for ever
        task = {"longshore.delivery.image_trial": {**options, "command": ["serve"], "env": {"PORT": PORT + 1}}}
        started[name] = playbook.start(task, play=play)
    for name, (_play, number) in runs.items():
        running = functools.partial(trials.of, trials.image(name))
        assert len(await_(running, lambda found: len(found) == 2, 60)) == 2
        started[name].interrupt(number)
    for interrupted in started.values():
        interrupted.end()
    # whose cleaning up ansible-playbook does not wait for
    assert await_(trials.left, lambda found: not found, 60) == []


def test_what_a_killed_trial_left_is_removed_by_the_next(trials: Trials) -> None:
    """A container of a process of this machine that has ended, and not one of a machine of which nothing is known."""
    image = trials.image("root")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        killed = Owner.of(process.pid)
        process.kill()
    made = [
        trials.engine.api.create_container(
            image, labels={RUN_LABEL: uuid.uuid4().hex, OWNER_LABEL: str(owner), SECONDS_LABEL: "3600"}
        )["Id"]
        for owner in (killed, Owner("elsewhere", 1, "1"))
    ]
    try:
        # by the way: a user who is given is the one it runs as
        trial = trials.run("root", user=USER)
        assert trial.message == ""
        assert trial.points("pass")["user"] == f"as {USER}"
        assert trial.result["leftovers"] >= 1
        assert [found["Id"] for found in trials.left()] == [made[1]]
    finally:
        for container in made:
            trials.remove(container)
