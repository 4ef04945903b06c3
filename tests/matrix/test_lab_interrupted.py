# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab comes from the cache whatever interrupted it, and goes without leaving anything on the machine.

Takes this user's lab away, several times, and brings it back in the end.
"""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Iterator

import pytest

from tests.lab import host_engine
from tests.lab.engine import docker, inspect, labelled
from tests.lab.node_images import base_image
from tests.lab.nodes import LABEL, NODES
from tests.lab.places import Places

from .interruption import Point, finished, interrupted, left_running
from .machine import Engine, Kernel

pytestmark = [pytest.mark.lab, pytest.mark.timeout(2400)]
PLACES = Places.of_user()
UP = ("tests.lab", "up", "--nodes", ",".join(NODES))
DOWN = ("tests.lab", "down")

BEFORE_THE_NODES_RUN = (
    Point("killed", delay=0.3),
    Point("killed alone", delay=0.8),
    Point("Ctrl-C", after="started at"),
    Point("killed alone", after="started at"),
    Point("killed", after="started at", delay=0.5),
)
BEFORE_THE_CLUSTER_WORKS = (
    Point("killed", after="ansible: Wait for SSH"),
    Point("Ctrl-C", after="ansible: Wait for Docker"),
    Point("killed alone", after="ansible: Import the images"),
    Point("killed", after="ansible: Import the images", delay=1),
    Point("killed alone", after="ansible: Wait for the API server"),
    Point("Ctrl-C", after="ansible: Apply CoreDNS"),
    Point("killed", after="ansible: Wait for CoreDNS"),
)


@pytest.fixture(scope="module", autouse=True)
def lab_afterwards() -> Iterator[None]:
    yield
    finished(*UP)


@pytest.fixture
def guest() -> Iterator[str]:
    """Name of a container that is not the lab's, to be started in its engine."""
    name = f"guest-of-longshore-{uuid.uuid4().hex[:8]}"
    yield name
    if host_engine.answers():
        docker("rm", "--force", name, check=False)


def engine_of_others() -> Engine:
    """What is in the engine beside the lab, whose volumes have no names of their own."""
    nodes = inspect("container", [node.container for node in NODES.values()])
    volumes = {mount["Name"] for node in nodes.values() for mount in node["Mounts"] if mount["Type"] == "volume"}
    labs = Engine(frozenset(labelled("container", LABEL)), frozenset(volumes), frozenset(labelled("network", LABEL)))
    return Engine.now().without(labs)


def others_run() -> bool:
    return bool(set(docker("ps", "--format", "{{.Names}}").stdout.split()) - set(labelled("container", LABEL)))


def test_up_and_down_can_be_interrupted_at_any_point_and_down_leaves_the_machine_as_it_was(guest: str) -> None:
    finished(*UP)
    others = engine_of_others()
    ends_the_engine = PLACES.engine.is_dir() and not others_run()
    finished(*DOWN)
    without = Kernel.now()
    if ends_the_engine:
        assert not host_engine.answers()
        assert without.traces() == []

    def assert_nothing_is_left() -> None:
        assert Kernel.now() == without
        assert not PLACES.lab.exists()
        assert left_running() == []
        if not ends_the_engine:
            assert Engine.now() == others

    for point in BEFORE_THE_NODES_RUN:
        interrupted(point, *UP)
        finished(*DOWN)
        assert_nothing_is_left()
    for point in BEFORE_THE_CLUSTER_WORKS:
        interrupted(point, *UP)
    assert "to do: the playbook, as a run before was interrupted" in finished(*UP)
    assert len(finished(*UP).splitlines()) == 4, "nothing but where the lab is found"

    # its image has the lab's label, which a container of somebody else's has not
    foreign = f"{LABEL.partition('=')[0]}="
    docker("run", "--detach", "--name", guest, "--label", foreign, base_image().tag, "sleep", "infinity")
    interrupted(Point("killed", after="removed container"), *DOWN)
    said = finished(*DOWN)
    if ends_the_engine:
        assert f"goes on: {guest} in it is not the lab's" in said
    assert inspect("container", [guest])[guest]["State"]["Running"]
    docker("rm", "--force", guest)
    assert Engine.now() == others
    finished(*DOWN)
    assert host_engine.answers() is not ends_the_engine
    assert_nothing_is_left()


def test_down_takes_the_lab_out_of_an_engine_that_was_killed() -> None:
    finished(*UP)
    others = engine_of_others()
    number = PLACES.engine / "dockerd.pid"
    if not number.exists() or others_run():
        pytest.skip("the engine is not the lab's own process, or others run containers in it: it is not killed")
    os.kill(int(number.read_text(encoding="ascii")), signal.SIGKILL)
    finished(*DOWN)
    assert not host_engine.answers()
    assert Kernel.now().traces() == []
    assert left_running() == []
    finished(*UP)
    assert engine_of_others() == others
