# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The molecule scenario of the role image, as users' CI runs it, on the controller's engine."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from tests.integration.docker_clients import client_of
from tests.integration.scenarios import scenario
from tests.integration.trial.images import PLACES, Images

pytestmark = [pytest.mark.lab, pytest.mark.wide, pytest.mark.rare]
ENGINE = "unix:///var/run/docker.sock"


def test_the_scenario_on_the_controllers_engine(tmp_path: Path) -> None:
    engine = client_of(ENGINE, None)
    images = Images(engine, f"longshore.test/{uuid.uuid4().hex[:12]}")
    try:
        environment = {
            "DOCKER_CONFIG": str(PLACES.docker_config),
            "DOCKER_HOST": ENGINE,
            "MOLECULE_BASE": images.make("good"),
        }
        scenario("image", tmp_path, "converge", "idempotence", "verify", "cleanup", **environment)
    finally:
        images.remove()
        engine.close()
