# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A registry that the lab's engines trust, images to bring there, and registries that nobody trusts."""

from __future__ import annotations

import contextlib
import os
import stat
import typing as t
from pathlib import Path

import pytest
import yaml

from tests.integration.asking import on_node
from tests.integration.containerd_store import ContainerdDocker
from tests.integration.docker_clients import client_of
from tests.lab.nodes import NODES

from .holders import DockerHolder, Holder, PodmanHolder
from .lab import BUILDS, ENDPOINT, LOGIN, Builder, Nodes, Stranger, ansible_playbook, builders_engine


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


@pytest.fixture(scope="module")
def docks_podman(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[PodmanHolder]:
    """The program podman on this machine is dock's."""
    place = f"/var/tmp/longshore-test-{os.getpid()}.tar"  # not in memory, where docker cp does not look
    node = NODES["dock"].container
    program = tmp_path_factory.mktemp("bin") / "podman"
    program.write_text(
        "#!/bin/sh\n"
        f'[ "$1" = save ] || exec docker exec {node} podman "$@"\n'
        "# save OPTION... --output PATH IMAGE...\n"
        "options=\n"
        'while [ "$1" != --output ]; do options="$options $1"; shift; done\n'
        "path=$2; shift 2\n"
        f'docker exec {node} podman $options --output {place} "$@" && docker cp {node}:{place} "$path" > /dev/null\n'
        "status=$?\n"
        f"docker exec {node} rm -f {place}\n"  # Podman adds nothing to an archive that is there
        "exit $status\n"
    )
    program.chmod(stat.S_IRWXU)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
        yield PodmanHolder()
    on_node("dock", "rm", "-f", place)


@pytest.fixture(scope="module", params=["machine", "dock", "containerd", "podman"])
def holder(request: pytest.FixtureRequest) -> t.Iterator[Holder]:
    """Each engine that builds: this machine's Docker, which is 20.10 on bookworm, dock's 26.1 with its own image store and with
    containerd's, and dock's Podman.
    """
    if request.param == "podman":
        yield request.getfixturevalue("docks_podman")
        return
    if request.param == "containerd":
        second: ContainerdDocker = request.getfixturevalue("containerd_docker")
        client, options = second.client(), second.options
    elif request.param == "dock":
        client, options = builders_engine(), BUILDS
    else:
        host = "unix:///var/run/docker.sock"
        client, options = client_of(host), {"docker_host": host}
    with contextlib.closing(client):
        yield DockerHolder(client, options, tells_digests=request.param != "containerd")
