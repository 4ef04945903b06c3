# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The molecule scenario, as users' CI runs it: create, converge, idempotence, verify, destroy."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.scenarios import scenario
from tests.lab.node_images import node_image

pytestmark = pytest.mark.lab


def test_the_scenario_on_a_throw_away_container(tmp_path: Path) -> None:
    # any Debian does; a node image of the lab needs no other registry and has the engines, though no docker-registry
    image = node_image("dock").tag
    steps = ("create", "converge", "idempotence", "verify", "destroy")
    scenario("registry_trust", tmp_path, *steps, MOLECULE_IMAGE=image)
