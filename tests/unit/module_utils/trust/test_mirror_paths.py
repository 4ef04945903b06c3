# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mirrors that have an upstream's images below a path of their own, as a project of Harbor's is one."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
import tomllib

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import Engine
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Endpoint
from ansible_collections.longshore.delivery.plugins.module_utils.registry.canaries import is_of_canaries
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.trust.mirror_check import can_have

from .node import Node
from .test_mirrors import DAEMON, HUB, HUBS_DROP_IN, drop_in, hosts, registry

QUAY = HUB.replace("docker.io", "quay.io")
QUAYS_DROP_IN = HUBS_DROP_IN.replace("docker.io", "quay.io")
PATHS = {"docker.io": "hub", "quay.io": "a/quay"}


def harbor(*mirror_of: str, **params: t.Any) -> RegistrySettings:
    return registry("harbor.example", *(mirror_of or PATHS), **{"mirror_paths": PATHS, **params})


def test_each_upstream_has_its_path(tmp_path: Path) -> None:
    node = Node(tmp_path)
    before = node.files()
    one = registry("m1.example", "docker.io")
    node.serve(one, harbor())
    assert hosts(node, HUB) == (
        "https://registry-1.docker.io",
        ["https://m1.example", "https://harbor.example/v2/hub"],
    )
    found = tomllib.loads(node.read(HUB))["host"]
    assert found["https://harbor.example/v2/hub"]["override_path"] is True
    assert "override_path" not in found["https://m1.example"]
    assert hosts(node, QUAY)[1] == ["https://harbor.example/v2/a/quay"]
    assert drop_in(node, HUBS_DROP_IN)["mirror"] == [{"location": "m1.example"}, {"location": "harbor.example/hub"}]
    assert drop_in(node, QUAYS_DROP_IN)["mirror"] == [{"location": "harbor.example/a/quay"}]
    assert json.loads(node.read(DAEMON)) == {"registry-mirrors": ["https://m1.example"]}  # Docker knows no path
    assert not node.planned(one, harbor()).changes
    node.serve(absent=True)
    assert node.files() == before


def test_where_no_upstream_is_asked_the_server_has_the_path_too(tmp_path: Path) -> None:
    node = Node(tmp_path, fallback=False)
    node.serve(harbor("docker.io", mirror_paths={"docker.io": "hub"}, tls="unverified"))
    found = tomllib.loads(node.read(HUB))
    host = found["host"]["https://harbor.example/v2/hub"]
    assert (found["server"], found["override_path"], found["skip_verify"]) == (
        "https://harbor.example/v2/hub",
        True,
        True,
    )
    assert (host["override_path"], host["skip_verify"]) == (True, True)


def test_another_path_changes_the_files(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.serve(harbor())
    node.serve(harbor(mirror_paths={"docker.io": "proxy"}))
    assert hosts(node, HUB)[1] == ["https://harbor.example/v2/proxy"]
    assert hosts(node, QUAY)[1] == ["https://harbor.example"]


def test_only_docker_does_not_ask_below_a_path() -> None:
    hub = Endpoint("docker.io")
    docker, podman = Engine("docker", "26.1.5", "/etc/docker/daemon.json"), Engine("podman", "4.3.1", "/etc/containers")
    assert (can_have(docker, hub, harbor()), can_have(podman, hub, harbor())) == (False, True)
    assert can_have(docker, hub, registry("m1.example", "docker.io"))


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"mirror_of": ["docker.io"]}, "'mirror_paths' has quay.io, which 'mirror_of' does not name"),
        ({"mirror_of": []}, "which 'mirror_of' does not name"),
        ({"mirror_paths": {"docker.io": "Hub"}}, "upper-case letters; write 'hub'"),
        ({"mirror_paths": {"docker.io": "/hub"}}, "begins or ends with '/'"),
        ({"mirror_paths": {"docker.io": ""}}, "the repository is missing"),
    ],
)
def test_what_cannot_be_meant_is_refused(params: dict[str, t.Any], words: str) -> None:
    given = {"endpoint": "harbor.example", "mirror_of": list(PATHS), "mirror_paths": PATHS, **params}
    with pytest.raises(DeliveryError, match=r"registry harbor\.example: ") as caught:
        RegistrySettings.from_params(given)
    assert words in str(caught.value)


def test_canaries_below_a_path_are_known_as_such() -> None:
    assert is_of_canaries("longshore/canary")
    assert is_of_canaries("a/quay/longshore/canary")
    assert not is_of_canaries("ourlongshore/canary")
    assert not is_of_canaries("longshore/canary/web")
