# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks trust and untrust on the lab: what they tell, and that the second takes away what the first one wrote."""

from __future__ import annotations

import re
import typing as t

import pytest

from .lab import CHECKOUT, ENGINES, EVERY_NODE, files, play
from .registries import Served
from .test_trust import EVERY_ENGINE_PULLS, changed, said_by_engines

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("untrusting")]
NODES = ("cp", "n1", "n2", "dock")


def run(playbook: str, registry: Served, *flags: str, **variables: t.Any) -> str:
    return play(CHECKOUT / f"playbooks/{playbook}.yml", *flags, longshore_registry=registry.options, **variables)


@pytest.mark.usefixtures("untrusted")
def test_trust_is_told_in_a_table_and_taken_away_again(private: Served) -> None:
    before = {node: files(node) for node in EVERY_NODE}
    output = run("trust", private)
    for engine in ENGINES:
        done = "restart" if engine.name == "containerd" else "written"
        line = rf"- {engine.node.name} +{engine.name} [\d.]+ +{re.escape(private.endpoint)} +its own authorities +{done} +\d+ ms$"
        assert len(re.findall(line, output, re.MULTILINE)) == 1, f"{engine}: {output}"
    again = run("trust", private)
    assert "its own authorities" not in again  # nothing was done, and nothing is told
    assert {name: changed(again)[name] for name in NODES} == dict.fromkeys(NODES, 0)

    assert {name: changed(run("untrust", private, "--check"))[name] for name in NODES} == dict.fromkeys(NODES, 1)
    assert said_by_engines(private) == EVERY_ENGINE_PULLS
    run("untrust", private)
    for name, said in said_by_engines(private).items():
        assert "x509: certificate signed by unknown authority" in said, name
    # containerd goes on reading the directory that it was restarted for, and in which nothing is
    assert {node: files(node) for node in EVERY_NODE} == before
    assert {name: changed(run("untrust", private))[name] for name in NODES} == dict.fromkeys(NODES, 0)
    everything = run("untrust", private, longshore_untrust="everything")
    assert {name: changed(everything)[name] for name in NODES} == dict.fromkeys(NODES, 0)
