# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The molecule scenario, as users' CI runs it on a host of theirs: converge, idempotence, verify, and it is gone again."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from tests.integration.scenarios import scenario
from tests.lab.access import inventory

from .host import HOST, PLACES
from .lab import SITE, changed, on_host, play

pytestmark = pytest.mark.lab


@pytest.fixture
def registry(ca: str) -> t.Iterator[str]:
    """It is there before, and after."""
    yield ca
    play()
    assert on_host("cat", "/etc/longshore/registry/ca.crt") == ca
    assert changed(play()) == 0


@pytest.mark.rare
def test_the_scenario_on_a_host(registry: str, tmp_path: Path) -> None:
    access = inventory([HOST], PLACES)["all"]["vars"]
    environment = {
        "MOLECULE_HOST": HOST.address,
        "MOLECULE_SSH_KEY": access["ansible_ssh_private_key_file"],
        "MOLECULE_SSH_ARGS": access["ansible_ssh_common_args"],
    }
    scenario("registry", tmp_path, "converge", "idempotence", "verify", "cleanup", **environment)
    assert on_host("find", "/etc/nginx", "-path", SITE) == ""
