# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cluster says where its registry is, as tools that work on it from outside look for it (KEP-1755)."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
import yaml

from tests.integration.asking import in_cluster, kubectl
from tests.integration.registry_trust.lab import CHECKOUT, PLACES, play

pytestmark = [pytest.mark.lab, pytest.mark.wide]

PLAYBOOK: Path = CHECKOUT / "playbooks/registry.yml"
OBJECT = ("--namespace", "kube-public", "configmap", "local-registry-hosting")
GIVEN: dict[str, t.Any] = {
    "longshore_registry": {"endpoint": "registry.example:5000"},
    "longshore_kubeconfig": str(PLACES.kubeconfig),
    "longshore_registry_hosting": True,
}


def run(*options: str, **variables: t.Any) -> int:
    """Run what there is to do on the controller. Returns how many tasks changed something."""
    output = play(PLAYBOOK, "-i", "localhost,", "--limit", "localhost", *options, **{**GIVEN, **variables})
    (count,) = re.findall(r"^localhost\s+: ok=\d+ +changed=(\d+)", output, re.MULTILINE)
    return int(count)


def said() -> dict[str, str]:
    found = in_cluster("get", *OBJECT)["data"]
    return t.cast("dict[str, str]", yaml.safe_load(found["localRegistryHosting.v1"]))


@pytest.fixture
def nothing_said() -> t.Iterator[None]:
    kubectl("delete", "--ignore-not-found", *OBJECT)
    yield
    kubectl("delete", "--ignore-not-found", *OBJECT)


def test_the_cluster_says_where_its_registry_is(nothing_said: None) -> None:
    assert run("--check") == 1
    assert kubectl("get", "--ignore-not-found", *OBJECT) == ""
    assert run() == 1
    names = ("host", "hostFromContainerRuntime", "hostFromClusterNetwork")
    assert said() == dict.fromkeys(names, "registry.example:5000")
    assert run() == 0
    assert run(longshore_registry_help="https://help.example") == 1
    assert said()["help"] == "https://help.example"
