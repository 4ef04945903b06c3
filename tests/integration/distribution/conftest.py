# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A registry that the lab's engines trust, images to bring there, and registries that nobody trusts."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml

from tests.integration.asking import on_node

from .lab import ENDPOINT, LOGIN, Builder, Nodes, Stranger, ansible_playbook


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A registry that every engine of the lab trusts, by the stages before this one."""
    playbook = tmp_path_factory.mktemp("before") / "before.yml"
    stages = [{"import_playbook": f"longshore.delivery.{stage}"} for stage in ("registry", "trust")]
    playbook.write_text(yaml.safe_dump(stages))
    ran = ansible_playbook(playbook, longshore_registry={"endpoint": ENDPOINT, "tls": "verified", **LOGIN})
    results = [result for play in ran["plays"] for task in play["tasks"] for result in task["hosts"].values()]
    assert [result.get("msg") for result in results if result.get("failed") or result.get("unreachable")] == []
    return on_node("dock", "cat", "/etc/longshore/registry/ca.crt")


@pytest.fixture
def builder(ca: str) -> t.Iterator[Builder]:
    made = Builder(ca)
    yield made
    made.remove()


@pytest.fixture
def nodes(ca: str, tmp_path: Path) -> t.Iterator[Nodes]:
    made = Nodes(tmp_path)
    yield made
    made.forget()


@pytest.fixture
def strangers(tmp_path: Path) -> t.Iterator[tuple[Stranger, Stranger]]:
    """One with a certificate of an authority that nobody knows, one without TLS."""
    both = Stranger(tmp_path, tls=True), Stranger(tmp_path, tls=False)
    yield both
    for stranger in both:
        stranger.stop()
