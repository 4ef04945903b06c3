# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which engine of a node is the one whose images are meant."""

from __future__ import annotations

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.node.choice import choose
from ansible_collections.longshore.delivery.plugins.module_utils.node.discovery import Seen
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import Engine
from ansible_collections.longshore.delivery.plugins.module_utils.node.kubelet import Kubelet

CONTAINERD, CRIO, DOCKER = "/run/containerd/containerd.sock", "/run/crio/crio.sock", "/var/run/docker.sock"
CRICTL, PODMAN = {"crictl": "/usr/bin/crictl"}, {"podman": "/usr/bin/podman"}


def seen(*sockets: str, kubelet: str | None = None, **programs: str) -> Seen:
    """A host with these sockets and programs; a kubelet that runs, with the socket that it is configured with, if any."""
    names = {CONTAINERD: "containerd", CRIO: "crio", DOCKER: "docker"}
    engines = tuple(Engine(names[socket], "", "", socket=socket, listens=True) for socket in sockets)
    return Seen(engines, Kubelet(runs=kubelet is not None, socket=kubelet or ""), programs)


@pytest.mark.parametrize(
    ("wanted", "host", "name", "socket", "program"),
    [
        ("auto", seen(CONTAINERD, kubelet=CONTAINERD, **CRICTL), "containerd", CONTAINERD, "/usr/bin/crictl"),
        (
            "auto",
            seen(CRIO, kubelet="/var/run/crio/crio.sock", **CRICTL),
            "crio",
            "/var/run/crio/crio.sock",
            "/usr/bin/crictl",
        ),
        # a node of Kubernetes is served through the CRI, whatever else runs there
        ("auto", seen(CONTAINERD, CRIO, DOCKER, kubelet=CRIO, **CRICTL, **PODMAN), "crio", CRIO, "/usr/bin/crictl"),
        ("auto", seen(CONTAINERD, DOCKER, kubelet="", **CRICTL), "containerd", CONTAINERD, "/usr/bin/crictl"),
        # Docker's own containerd has a socket too
        ("auto", seen(CONTAINERD, DOCKER, **PODMAN), "docker", DOCKER, ""),
        ("auto", seen(CONTAINERD, DOCKER, **CRICTL), "docker", DOCKER, ""),
        ("auto", seen(**PODMAN), "podman", "", "/usr/bin/podman"),
        ("auto", seen(CONTAINERD, **CRICTL), "containerd", CONTAINERD, "/usr/bin/crictl"),
        ("podman", seen(DOCKER, **PODMAN), "podman", "", "/usr/bin/podman"),
        ("docker", seen(CONTAINERD, DOCKER, kubelet=CONTAINERD, **CRICTL), "docker", DOCKER, ""),
        (
            "containerd",
            seen(kubelet="/run/my/containerd.sock", **CRICTL),
            "containerd",
            "/run/my/containerd.sock",
            "/usr/bin/crictl",
        ),
        ("crio", seen(CONTAINERD, CRIO, kubelet=CONTAINERD, **CRICTL), "crio", CRIO, "/usr/bin/crictl"),
    ],
)
def test_choice(wanted: str, host: Seen, name: str, socket: str, program: str) -> None:
    chosen = choose(wanted, host, "n1")
    assert (chosen.engine.name, chosen.engine.socket, chosen.engine.client) == (name, socket, program)
    assert chosen.why


@pytest.mark.parametrize(
    ("wanted", "host", "complaint"),
    [
        ("auto", seen(), "no container engine on n1"),
        ("auto", seen(CONTAINERD), "no container engine on n1"),
        ("auto", seen(kubelet=""), "n1 is a node of Kubernetes"),
        ("auto", seen(CONTAINERD, kubelet=CONTAINERD), "crictl is not there"),
        ("docker", seen(**PODMAN), "docker.sock is not there"),
        ("podman", seen(DOCKER), "podman is not there"),
        ("crio", seen(CONTAINERD, **CRICTL), "crio.sock is not there"),
    ],
)
def test_what_is_not_there_is_said(wanted: str, host: Seen, complaint: str) -> None:
    with pytest.raises(DeliveryError, match=complaint) as raised:
        choose(wanted, host, "n1")
    assert "n1" in str(raised.value)


def test_an_engine_is_spoken_to_where_its_flags_say() -> None:
    docker = Engine("docker", "", "", socket="/srv/docker.sock", listens=True)
    containerd = Engine("containerd", "", "", socket="/srv/containerd.sock", listens=True)
    host = Seen((docker, containerd), Kubelet(), CRICTL)
    assert choose("auto", host, "n1").engine == docker
    assert choose("containerd", host, "n1").engine.socket == "/srv/containerd.sock"
    # the kubelet knows best through what it pulls
    kubernetes = Seen((docker, containerd), Kubelet(runs=True, socket="/run/cri-dockerd.sock"), CRICTL)
    assert choose("auto", kubernetes, "n1").engine.socket == "/run/cri-dockerd.sock"


def test_an_engine_that_does_not_run_is_named_with_its_socket() -> None:
    stopped = Seen(
        (Engine("docker", "", "", socket="/srv/docker.sock", program="/usr/bin/dockerd"),), Kubelet(), PODMAN
    )
    assert choose("auto", stopped, "n1").engine.name == "podman"
    with pytest.raises(DeliveryError, match=r"socket /srv/docker\.sock is not there"):
        choose("docker", stopped, "n1")


def test_anothers_containerd_is_left_alone() -> None:
    k3s = Engine("containerd", "", "", socket="/run/k3s/containerd/containerd.sock", listens=True, owner="k3s")
    with pytest.raises(DeliveryError, match=r"socket /run/containerd/containerd\.sock is not there"):
        choose("containerd", Seen((k3s,), Kubelet(), CRICTL), "n1")
