# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""image_trial with Podman's service on dock, which speaks Docker's API: the same contracts come out as of the others."""

from __future__ import annotations

import typing as t
import uuid

import pytest

from tests.integration.asking import eventually, on_node
from tests.integration.docker_clients import client_of
from tests.lab.nodes import DOCK

from .contracts import BY_THE_ENGINE, breaks_its_points_alone, has_its_options, keeps_its_contract
from .images import PodmanImages
from .trials import Trial, Trials

pytestmark = [pytest.mark.lab, pytest.mark.wide]


@pytest.fixture(scope="module")
def trials() -> t.Iterator[Trials]:
    unit, port = f"longshore-test-{uuid.uuid4().hex[:12]}", 20000 + uuid.uuid4().int % 10000
    host = f"tcp://{DOCK.address}:{port}"
    on_node(
        "dock", "systemd-run", "--quiet", "--collect", f"--unit={unit}", "podman", "system", "service", "--time=0", host
    )
    engine = client_of(host)

    def answers() -> bool:
        try:
            return bool(engine.ping())
        except OSError:
            return False

    try:
        eventually(answers)
        made = Trials(engine, {"docker_host": host}, PodmanImages(f"longshore.test/{uuid.uuid4().hex[:12]}"))
        volumes = on_node("dock", "podman", "volume", "ls", "--quiet")
        yield made
        made.close()
        assert on_node("dock", "podman", "volume", "ls", "--quiet") == volumes
    finally:
        on_node("dock", "systemctl", "stop", unit)


@pytest.fixture(scope="module")
def tried(trials: Trials) -> dict[str, Trial]:
    return trials.contracts(BY_THE_ENGINE)


def test_one_that_keeps_the_contract_passes_every_point(tried: dict[str, Trial]) -> None:
    assert tried["good"].message == ""
    keeps_its_contract(tried["good"].result)


@pytest.mark.parametrize("name", BY_THE_ENGINE)
def test_one_that_breaks_a_point_fails_that_one_alone(tried: dict[str, Trial], name: str) -> None:
    breaks_its_points_alone(name, tried[name].result, tried[name].message)


def test_what_the_options_say_holds_in_the_container(tried: dict[str, Trial]) -> None:
    assert tried["has options"].message == ""
    has_its_options(tried["has options"].result)


def test_what_writes_to_memory_alone_passes(tried: dict[str, Trial]) -> None:
    """Where the image has the directory, and root's, Podman 4.3's service leaves it root's, as its program does not."""
    trial = tried["writes to memory"]
    assert (trial.message, trial.points("fail")) == ("", {})


def test_nothing_of_them_is_left(tried: dict[str, Trial], trials: Trials) -> None:
    assert trials.left() == []
