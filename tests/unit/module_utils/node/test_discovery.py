# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is found on a node: engines by their processes and flags, programs and sockets, and the kubelet with its runtime."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.node.discovery import Seen, look
from ansible_collections.longshore.delivery.plugins.module_utils.node.kubelet import Kubelet

CONTAINERD, CRIO, DOCKER = "/run/containerd/containerd.sock", "/run/crio/crio.sock", "/var/run/docker.sock"


class Host:
    """A directory that stands for a host's root."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        (root / "proc/self/ns").mkdir(parents=True)
        os.symlink("pid:[1]", root / "proc/self/ns/pid")
        monkeypatch.setenv("PATH", str(root / "nowhere"))

    def file(self, path: str, text: str = "", mode: int = 0o644) -> Host:
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(mode)
        return self

    def process(self, number: int, *argv: str, namespace: str = "pid:[1]", name: str = "") -> Host:
        """A process with this command line; it is called by its program's name, as long as nothing else is said."""
        self.file(f"/proc/{number}/cmdline", "\0".join(argv) + "\0")
        self.file(f"/proc/{number}/comm", (name or os.path.basename(argv[0])) + "\n")
        self.file(f"/proc/{number}/stat", f"{number} (a) b) S " + "0 " * 18 + f"{number}00 0\n")
        link = self.root / "proc" / str(number) / "ns" / "pid"
        link.parent.mkdir()
        os.symlink(namespace, link)
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
    found = host.look().kubelet
    assert found == Kubelet(runs=True, is_configured=True, socket="/run/crio/crio.sock")
    assert found.sign == "its kubelet runs"


def test_a_flag_wins_over_the_file(host: Host) -> None:
    host.file("/var/lib/kubelet/config.yaml", "containerRuntimeEndpoint: unix:///run/file.sock\n")
    host.process(70, "kubelet", "--container-runtime-endpoint", "unix:///run/flag.sock")
    assert host.look().kubelet.socket == "/run/flag.sock"


def test_kubeadm_writes_flags_of_its_own(host: Host) -> None:
    host.file("/var/lib/kubelet/config.yaml", "kind: KubeletConfiguration\ncontainerRuntimeEndpoint: ''\n")
    host.file(
        "/var/lib/kubelet/kubeadm-flags.env",
        'KUBELET_KUBEADM_ARGS="--container-runtime-endpoint=unix:///run/containerd/containerd.sock --pod-infra=x"\n',
    )
    found = host.look().kubelet
    assert found == Kubelet(is_configured=True, socket=CONTAINERD)
    assert found.sign == "it has a kubelet's configuration"


def test_a_kubelet_that_has_joined_no_cluster_is_no_sign_of_one(host: Host) -> None:
    program = host.file("/usr/bin/kubelet", mode=0o755).look().kubelet
    assert (program.program, program.sign) == (f"{host.root}/usr/bin/kubelet", "")


def test_daemons_in_containers_are_others(host: Host) -> None:
    host.process(70, "/usr/bin/kubelet", "--config=/var/lib/kubelet/config.yaml", namespace="pid:[2]")
    host.process(72, "/usr/bin/containerd", namespace="pid:[2]")
    assert host.look() == Seen()
    host.process(71, "/usr/bin/kubelet").process(73, "/usr/bin/containerd")
    assert host.look().kubelet.runs
    assert host.look().own("containerd") is not None


def test_programs_beside_the_path_are_found(host: Host) -> None:
    host.file("/usr/local/bin/crictl", mode=0o755).file("/opt/bin/podman", mode=0o755)
    host.file("/usr/sbin/crictl", mode=0o644).file("/usr/sbin/dockerd", mode=0o644)
    found = host.look()
    assert found.programs == {"crictl": f"{host.root}/usr/local/bin/crictl", "podman": f"{host.root}/opt/bin/podman"}
    assert [engine.name for engine in found.engines] == ["podman"]


def test_an_engine_that_is_installed_and_stopped(host: Host) -> None:
    host.file("/usr/bin/containerd", mode=0o755).file("/usr/bin/crio", mode=0o755).file("/usr/bin/dockerd", mode=0o755)
    found = host.look()
    assert [engine.name for engine in found.engines] == ["containerd", "crio", "docker"]
    for engine in found.engines:
        assert engine.is_stopped
        assert engine.is_of_this_node
        assert not engine.listens
        assert os.path.basename(engine.program) in ("containerd", "crio", "dockerd")
    assert [engine.config_file for engine in found.engines] == [
        f"{host.root}/etc/containerd/config.toml",
        f"{host.root}/etc/crio/crio.conf",
        f"{host.root}/etc/docker/daemon.json",
    ]


def test_a_socket_alone_can_be_asked_and_is_no_engine_of_this_node(host: Host) -> None:
    [docker] = host.file(DOCKER).look().engines
    assert (docker.name, docker.socket, docker.listens, docker.is_of_this_node) == ("docker", DOCKER, True, False)


def test_the_flags_of_a_daemon_say_where_it_listens_and_what_it_reads(host: Host) -> None:
    host.process(1, "/usr/bin/containerd", "--address=/srv/c.sock", "-c", "/srv/c.toml").file("/srv/c.sock")
    host.process(
        2, "dockerd", "-H", "fd://", "-H", "tcp://0:2375", "--host=unix:///srv/d.sock", "--config-file=/srv/d.json"
    )
    host.process(3, "crio", "--listen", "unix:///srv/o.sock", "--config=/srv/o.conf").file(CRIO)
    found = {engine.name: engine for engine in host.look().engines}
    assert {name: (engine.socket, engine.config_file, engine.listens) for name, engine in found.items()} == {
        "containerd": ("/srv/c.sock", "/srv/c.toml", True),
        "docker": ("/srv/d.sock", "/srv/d.json", False),
        "crio": ("/srv/o.sock", "/srv/o.conf", False),
    }
    assert found["docker"].daemon is not None
    assert found["docker"].daemon.started == 200


@pytest.mark.parametrize(
    ("endpoint", "containerd", "crio"),
    [
        ("/run/my/containerd.sock", "/run/my/containerd.sock", CRIO),
        ("/var/run/crio/crio.sock", CONTAINERD, "/var/run/crio/crio.sock"),
        ("/run/cri-dockerd.sock", CONTAINERD, CRIO),
    ],
)
def test_the_kubelet_tells_of_a_socket_that_a_configuration_file_names(
    host: Host, endpoint: str, containerd: str, crio: str
) -> None:
    host.process(1, "kubelet", f"--container-runtime-endpoint=unix://{endpoint}")
    host.process(2, "containerd").process(3, "crio")
    assert {engine.name: engine.socket for engine in host.look().engines} == {"containerd": containerd, "crio": crio}


@pytest.mark.parametrize(
    ("argv", "owner"),
    [
        (["/var/lib/rancher/k3s/data/current/bin/containerd", "-c", "/var/lib/rancher/k3s/agent/etc/c.toml"], "k3s"),
        (["containerd", "-c", "/var/lib/rancher/rke2/agent/etc/containerd/config.toml"], "RKE2"),
        (["containerd", "--config", "/var/run/docker/containerd/containerd.toml"], "Docker"),
        (["/snap/microk8s/7000/bin/containerd"], "MicroK8s"),
        (["/usr/bin/containerd"], ""),
    ],
)
def test_a_containerd_that_others_have_brought(host: Host, argv: list[str], owner: str) -> None:
    host.process(5, *argv).file("/usr/bin/containerd", mode=0o755)
    [engine] = host.look().engines
    assert engine.owner == owner
    assert (host.look().own("containerd") is None) == bool(owner)


def test_ones_own_containerd_beside_anothers(host: Host) -> None:
    host.process(5, "containerd", "--config", "/var/run/docker/containerd/containerd.toml").process(6, "containerd")
    found = host.look()
    assert sorted(engine.owner for engine in found.engines) == ["", "Docker"]
    own = found.own("containerd")
    assert own is not None
    assert own.daemon is not None
    assert own.daemon.pid == 6


@pytest.mark.parametrize(
    ("programs", "program", "client"),
    [
        (("buildah", "skopeo", "podman"), "podman", "podman"),
        (("buildah", "skopeo"), "skopeo", "skopeo"),
        (("buildah",), "buildah", ""),
    ],
)
def test_podman_and_those_that_read_the_same_files(
    host: Host, programs: tuple[str, ...], program: str, client: str
) -> None:
    for name in programs:
        host.file(f"/usr/bin/{name}", mode=0o755)
    [engine] = host.look().engines
    assert engine.name == "podman"
    assert not engine.is_stopped
    assert (os.path.basename(engine.program), os.path.basename(engine.client)) == (program, client)


def test_who_may_not_see_the_namespaces_of_others_sees_their_daemons(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As image_pull without become; root, who runs this maybe, may see them all."""
    host.process(70, "/usr/bin/kubelet").process(71, "/usr/bin/dockerd")
    real = os.readlink

    def readlink(path: str) -> str:
        if "/self/" not in path:
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "readlink", readlink)
    found = host.look()
    assert found.kubelet.runs
    assert found.own("docker") is not None
