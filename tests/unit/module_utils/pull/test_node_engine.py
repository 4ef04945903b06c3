# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which engine of a node it is, and how that is found out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.pull.node_engine import Seen, choose, look

CONTAINERD, CRIO, DOCKER = "/run/containerd/containerd.sock", "/run/crio/crio.sock", "/var/run/docker.sock"
CRICTL, PODMAN = {"crictl": "/usr/bin/crictl"}, {"podman": "/usr/bin/podman"}


def seen(*sockets: str, kubelet: str | None = None, **programs: str) -> Seen:
    return Seen("its kubelet runs" if kubelet is not None else "", kubelet or "", frozenset(sockets), programs)


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
    assert (chosen.name, chosen.socket, chosen.program) == (name, socket, program)
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


class Host:
    """A directory that stands for a host's root."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        (root / "proc").mkdir()
        monkeypatch.setenv("PATH", str(root / "nowhere"))

    def file(self, path: str, text: str = "", mode: int = 0o644) -> Host:
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(mode)
        return self

    def process(self, number: int, *argv: str, namespace: str = "pid:[1]") -> Host:
        self.file(f"/proc/{number}/cmdline", "\0".join(argv) + "\0")
        for place in (str(number), "self"):
            link = self.root / "proc" / place / "ns" / "pid"
            link.parent.mkdir(parents=True, exist_ok=True)
            if place != "self" or not link.is_symlink():
                os.symlink(namespace if place != "self" else "pid:[1]", link)
        return self

    def look(self) -> Seen:
        return look(str(self.root))


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    return Host(tmp_path, monkeypatch)


def test_an_empty_host(host: Host) -> None:
    assert host.look() == Seen()


def test_the_running_kubelet_names_its_configuration(host: Host) -> None:
    host.file("/var/lib/kubelet/config.yaml", "containerRuntimeEndpoint: unix:///run/old.sock\n")
    host.file(
        "/etc/kubernetes/kubelet.yaml",
        'kind: KubeletConfiguration\ncontainerRuntimeEndpoint: "unix:///run/crio/crio.sock"\n',
    )
    host.process(12, "/bin/sh", "-c", "kubelet --config=/wrong")
    host.process(70, "/usr/local/bin/kubelet", "--config=/etc/kubernetes/kubelet.yaml", "--node-ip=10.90.0.13")
    assert host.look() == Seen("its kubelet runs", "/run/crio/crio.sock")


def test_a_flag_wins_over_the_file(host: Host) -> None:
    host.file("/var/lib/kubelet/config.yaml", "containerRuntimeEndpoint: unix:///run/file.sock\n")
    host.process(70, "kubelet", "--container-runtime-endpoint", "unix:///run/flag.sock")
    assert host.look().kubelet_socket == "/run/flag.sock"


def test_kubeadm_writes_flags_of_its_own(host: Host) -> None:
    host.file("/var/lib/kubelet/config.yaml", "kind: KubeletConfiguration\ncontainerRuntimeEndpoint: ''\n")
    host.file(
        "/var/lib/kubelet/kubeadm-flags.env",
        'KUBELET_KUBEADM_ARGS="--container-runtime-endpoint=unix:///run/containerd/containerd.sock --pod-infra=x"\n',
    )
    assert host.look() == Seen("it has a kubelet's configuration", CONTAINERD)


def test_kubelets_in_containers_are_others(host: Host) -> None:
    host.process(70, "/usr/bin/kubelet", "--config=/var/lib/kubelet/config.yaml", namespace="pid:[2]")
    assert host.look().kubernetes == ""
    host.process(71, "/usr/bin/kubelet")
    assert host.look().kubernetes == "its kubelet runs"


def test_programs_beside_the_path_are_found(host: Host) -> None:
    host.file("/usr/local/bin/crictl", mode=0o755).file("/usr/bin/podman", mode=0o755).file(
        "/usr/sbin/crictl", mode=0o644
    )
    host.file(DOCKER).file(CRIO)
    found = host.look()
    assert found.programs == {"crictl": f"{host.root}/usr/local/bin/crictl", "podman": f"{host.root}/usr/bin/podman"}
    assert found.sockets == {DOCKER, CRIO}
