# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What would fail late fails first, over the whole of the site: one error in the user's words, and nothing was begun."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest

from tests.http_server import AnsweringServer, Reply, Request
from tests.kubeconfig import kubeconfig
from tests.unit.module_utils.registry.certificates import Certificates

from .running import Playbooks, imported

PASSWORD = "tide-and-time"


def refusing(_request: Request) -> Reply:
    return 401, {"WWW-Authenticate": 'Basic realm="test"'}, b""


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, t.Any]:
    """A site that is as it should be, but for a cluster that does not answer."""
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    return {
        "image_source_root": str(tmp_path),
        "longshore_images": [{"name": "shop/web", "source": ".", "tags": ["1.0"]}],
        "longshore_registry": {"endpoint": "registry.example:5000"},
        "longshore_workloads": [{"name": "web", "image": "shop/web:1.0"}],
        "longshore_kubeconfig": kubeconfig(tmp_path, "http://127.0.0.1:9"),
    }


def complaint(playbooks: Playbooks, variables: dict[str, t.Any], *flags: str) -> str:
    """What the site says to it, having begun nothing."""
    status, output = playbooks.run([imported("site")], *flags, **variables)
    assert status != 0, output
    assert len(re.findall(r"(?:fatal|failed): \[", output)) == 1
    assert "PLAY [Build]" not in output
    assert PASSWORD not in output
    return output


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, "The cluster at http://127.0.0.1:9 cannot be reached"),
        (
            {"longshore_images": [{"name": "shop/web", "source": "elsewhere", "tags": ["1.0"]}]},
            "There is no {here}/elsewhere/Dockerfile.",
        ),
        (
            {"longshore_images": [{"name": "shop/we b", "source": ".", "tags": ["1.0"]}]},
            "Invalid image reference 'shop/we b': it has the character ' ' at position 8; remove it.",
        ),
        ({"longshore_workloads": [{"image": "shop/web:1.0"}]}, "missing required arguments: name"),
        ({"longshore_workloads": [{"name": "Web", "image": "shop/web:1.0"}]}, "name is 'Web'"),
        (
            {"longshore_builder": {"engine": "rkt"}},
            "value of engine must be one of: auto, docker, docker_classic, podman, buildah, got: rkt found in",
        ),
        (
            {"longshore_workloads": [], "registry_trust_engines": ["rkt"]},
            "value of registry_trust_engines must be one or more of: auto, containerd",
        ),
        (
            {"longshore_workloads": [], "image_distribution_engine": "rkt"},
            "value of image_distribution_engine must be one of: auto, containerd",
        ),
    ],
    ids=[
        *("cluster", "Dockerfile", "name", "nameless", "workload"),
        *("engine-of-builds", "engine-of-trust", "engine-of-pull"),
    ],
)
def test_what_cannot_be_is_said_before_the_first_stage(
    playbooks: Playbooks, tmp_path: Path, variables: dict[str, t.Any], changed: dict[str, t.Any], words: str
) -> None:
    # the host of a registry is asked before the nodes' options are seen, and there is none in these tests
    limit = ("-l", "localhost,n1,n2")
    assert words.format(here=tmp_path) in complaint(playbooks, {**variables, **changed}, *limit)


def test_a_registry_that_is_there_already_is_asked_first(
    playbooks: Playbooks, tmp_path: Path, variables: dict[str, t.Any]
) -> None:
    playbooks.registry_hosts = []
    certificates = Certificates(tmp_path)
    served, other = (certificates.issue(name, ["127.0.0.1"], None, authority=True) for name in ("served", "other"))
    with AnsweringServer(refusing, served.served()) as server:
        registry = {"endpoint": server.endpoint, "ca": served.pem, "username": "ci", "password": PASSWORD}
        said = complaint(playbooks, {**variables, "longshore_registry": registry})
        assert f"Registry {server.endpoint}: it refuses user 'ci' for the registry's API (HTTP 401" in said
        said = complaint(playbooks, {**variables, "longshore_registry": {**registry, "ca": other.pem}})
        assert f"Registry {server.endpoint}: " in said
        assert "its certificate ('served'" in said
        assert "nor does the given 'ca' ('other') vouch for it" in said
    said = complaint(playbooks, {**variables, "longshore_registry": registry})
    assert f"Registry {server.endpoint}: nothing takes connections" in said


def test_a_registry_that_the_run_sets_up_is_not_asked(playbooks: Playbooks, variables: dict[str, t.Any]) -> None:
    with AnsweringServer(refusing) as server:
        registry = {"endpoint": server.endpoint, "tls": "plain", "username": "ci", "password": PASSWORD}
        said = complaint(playbooks, {**variables, "longshore_registry": registry})
    assert "The cluster at" in said
    assert server.requests == []
