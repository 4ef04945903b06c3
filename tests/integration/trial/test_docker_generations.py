# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""image_trial with other generations of Docker than dock's: the machine's own engine, and one with containerd's store."""

from __future__ import annotations

import typing as t
import uuid

import docker
import pytest

from tests.integration.containerd_store import ContainerdDocker

from .contracts import GOOD, IN_MEMORY, keeps_its_contract
from .images import Images
from .trials import Trials

pytestmark = [pytest.mark.lab, pytest.mark.wide]


@pytest.fixture(scope="module", params=["machine", "containerd"])
def trials(request: pytest.FixtureRequest) -> t.Iterator[Trials]:
    own = request.param == "machine"
    other: ContainerdDocker | None = None if own else request.getfixturevalue("containerd_docker")
    engine = other.client() if other else docker.from_env()
    images = Images(engine, f"longshore.test/{uuid.uuid4().hex[:12]}")
    made = Trials(engine, other.options if other else {}, images)
    yield made
    made.close()


def test_one_that_keeps_the_contract_passes_every_point(trials: Trials) -> None:
    if trials.options:  # on dock that second engine's bridge leads nowhere: what asks by HTTP is left out
        trial = trials.run("good", assertions=[one for one in GOOD["assertions"] if "exec" in one])
        assert (trial.message, trial.points("fail")) == ("", {})
        assert "assertion" in trial.points("pass")
    else:
        trial = trials.run("good", **GOOD)
        assert trial.message == ""
        keeps_its_contract(trial.result)


@pytest.mark.parametrize("name", IN_MEMORY)
def test_what_writes_to_memory_alone_passes_whatever_its_image_has_there(trials: Trials, name: str) -> None:
    trial = trials.run(name, tmpfs=[IN_MEMORY[name]])
    assert (trial.message, trial.points("fail")) == ("", {})


def test_nothing_of_them_is_left(trials: Trials) -> None:
    assert trials.left() == []
