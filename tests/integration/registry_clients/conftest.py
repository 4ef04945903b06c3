# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The registry, which every engine of the lab trusts meanwhile, and the programs that pull from it."""

from __future__ import annotations

import contextlib
import typing as t

import docker
import pytest

from tests.integration.containerd_store import ContainerdDocker
from tests.integration.docker_clients import client_of
from tests.integration.registry_trust.lab import CONTAINERD_1, CONTAINERD_2, CRI, EVERY_NODE, files
from tests.lab.nodes import BUILDER
from tests.lab.places import Places

from .clients import Client, Cri, DockerClient, buildah, ctr, forwarded, podman, skopeo
from .site import ENDPOINT, play, running


@pytest.fixture(scope="module")
def site() -> t.Iterator[None]:
    """The registry's host, new; afterwards no node knows anything of a registry there, whatever it spoke."""
    with running():
        before = {node: files(node) for node in EVERY_NODE}
        try:
            yield
        finally:
            play("trust", registry_trust_state="absent")
        assert {node: files(node) for node in EVERY_NODE} == before


@pytest.fixture(
    params=[
        "docker-of-this-machine",
        "docker",
        "docker-with-containerds-store",
        "podman",
        "buildah",
        "skopeo",
        "ctr-1",
        "ctr-2",
    ]
)
def pushing(request: pytest.FixtureRequest) -> t.Iterator[Client]:
    """Each client that also pushes: Docker 20.10 (where this machine is Debian 12) and 26.1 with its own image store and with
    containerd's, Podman, Buildah, Skopeo, and containerd 1.7 and 2.2 by their own client.
    """
    others: dict[str, t.Callable[[], Client]] = {
        "podman": podman,
        "buildah": buildah,
        "skopeo": skopeo,
        "ctr-1": lambda: ctr(CONTAINERD_1),
        "ctr-2": lambda: ctr(CONTAINERD_2),
    }
    if request.param in others:
        yield others[request.param]()
        return
    with contextlib.ExitStack() as stack:
        if request.param == "docker-of-this-machine":
            endpoint = stack.enter_context(forwarded(ENDPOINT))
            engine = stack.enter_context(contextlib.closing(docker.from_env()))
            yield DockerClient(engine, endpoint)
            return
        if request.param == "docker":
            engine = client_of(BUILDER, Places.of_user().builder)
        else:
            second: ContainerdDocker = request.getfixturevalue("containerd_docker")
            engine = second.client()
        stack.enter_context(contextlib.closing(engine))
        yield DockerClient(engine)


@pytest.fixture(params=CRI, ids=str)
def cri(request: pytest.FixtureRequest) -> Cri:
    """containerd 1.7 and 2.2, and CRI-O 1.36, as Kubernetes has them pull."""
    return Cri(request.param)
