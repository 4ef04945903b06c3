# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""image_trial on dock's engine: an image that keeps the contract, and one for each point that fails it."""

from __future__ import annotations

import functools
import signal
import subprocess
import sys
import typing as t
import uuid
from pathlib import Path

import docker
import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.trial.owner import (
    OWNER_LABEL,
    RUN_LABEL,
    SECONDS_LABEL,
    Owner,
)
from ansible_collections.longshore.delivery.plugins.module_utils.trial.probes import await_
from tests.demo.settings import COLLECTIONS
from tests.integration.distribution.lab import BUILDS, builders_engine
from tests.unit.fronts.playbook import AS_A_MODULE, Playbook

from .contracts import BROKEN, COMMON, IN_MEMORY, breaks_its_points_alone, has_its_options, keeps_its_contract
from .images import PORT, USER, VOLUME, Images
from .trials import Trial, Trials

pytestmark = [pytest.mark.lab, pytest.mark.wide]


@pytest.fixture(scope="module")
def trials() -> t.Iterator[Trials]:
    engine = builders_engine()
    made = Trials(engine, BUILDS, Images(engine, f"longshore.test/{uuid.uuid4().hex[:12]}"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def tried(trials: Trials) -> dict[str, Trial]:
    return trials.contracts()


def test_one_that_keeps_the_contract_passes_every_point(tried: dict[str, Trial]) -> None:
    assert tried["good"].message == ""
    keeps_its_contract(tried["good"].result)


@pytest.mark.parametrize("name", IN_MEMORY)
def test_what_writes_to_memory_alone_passes_whatever_its_image_has_there(tried: dict[str, Trial], name: str) -> None:
    """Also when it is started again, by a user who is not root."""
    assert (tried[name].message, tried[name].points("fail")) == ("", {})


@pytest.mark.parametrize("name", BROKEN)
def test_one_that_breaks_a_point_fails_that_one_alone(tried: dict[str, Trial], name: str) -> None:
    breaks_its_points_alone(name, tried[name].result, tried[name].message)


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
    assert sorted(strict["Tmpfs"]) == ["/var/cache"]


def test_what_the_options_say_holds_in_the_container(tried: dict[str, Trial]) -> None:
    """By a command, on a port and with a variable of the task's."""
    trial = tried["has options"]
    assert trial.message == ""
    has_its_options(trial.result)
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


def test_all_is_removed_when_ansible_playbook_is_told_to_end(trials: Trials, tmp_path: Path) -> None:
    """In process as Ctrl-C does it, and as a module as a system does that shuts down: SIGTERM ends a Python at once."""
    playbook = Playbook(COLLECTIONS, tmp_path)
    runs: dict[str, tuple[dict[str, t.Any], signal.Signals]] = {
        "does not listen": ({}, signal.SIGINT),
        "has options": (AS_A_MODULE, signal.SIGTERM),
    }
    started = {}
    for name, (play, _number) in runs.items():
        options = {
            "image": trials.image(name),
            "secrets": COMMON["secrets"],
            "start_timeout": 300,
            "port": PORT,
            **BUILDS,
        }
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
