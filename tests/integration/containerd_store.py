# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A second Docker engine on dock, of the same version, which keeps its images in containerd's image store.

The fixture C(containerd_docker) of tests/integration/conftest.py starts it when a test asks for it first, and takes it away with
all that it holds when the session ends::

    def test_it(containerd_docker: ContainerdDocker) -> None:
        run({**containerd_docker.options, "name": ...})  # docker_host and docker_cert_path of any module
        containerd_docker.client().images.list()  # past the collection
        Engine(containerd_docker.host, containerd_docker.certificates)  # as the tests of image_build have it

It speaks TLS on a port of its own with the certificates of dock's first engine, trusts the registries that dock's first engine
trusts, and may pull from them and push to them. It has a data root, a containerd, sockets and a bridge of its own. The bridge is
named: with C(--bridge=none) an engine removes C(docker0), which is the other one's. What RUN starts in a build reaches no
address but the bridge's. Tests share it, so each names its images in a way of its own and removes them.
"""

from __future__ import annotations

import contextlib
import subprocess
import typing as t
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest

from tests.lab.nodes import DOCK
from tests.lab.places import Places

from .asking import on_node
from .docker_clients import client_of

_UNIT = "longshore-test-containerd-store"
_PORT = 2377
_BRIDGE = "longshore-test0"
_RUN = f"/run/{_UNIT}"
_ROOT = f"/var/lib/containerd/{_UNIT}"  # on a volume: an overlay cannot be on another one
_PKI = "/etc/longshore-lab/docker"
_START = f"""
set -e
. /run/own-cgroup
mkdir -p {_RUN} {_ROOT}
ip link add name {_BRIDGE} type bridge
ip address add 10.93.0.1/24 dev {_BRIDGE}
ip link set {_BRIDGE} up
echo '{{"features": {{"containerd-snapshotter": true}}}}' > {_RUN}/daemon.json
printf 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n' > {_RUN}/containerd.toml
containerd --config {_RUN}/containerd.toml --root {_ROOT}/containerd --state {_RUN}/containerd \
  --address {_RUN}/containerd.sock &
exec dockerd --config-file={_RUN}/daemon.json --host=tcp://0.0.0.0:{_PORT} \
  --tlsverify --tlscacert={_PKI}/ca.pem --tlscert={_PKI}/cert.pem --tlskey={_PKI}/key.pem \
  --containerd={_RUN}/containerd.sock --data-root={_ROOT}/docker --exec-root={_RUN}/docker --pidfile={_RUN}/docker.pid \
  --bridge={_BRIDGE} --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false --userland-proxy=false \
  --cgroup-parent="$NODE_CGROUP/{_UNIT}"
"""
_STOP = f"""
systemctl stop {_UNIT} 2>/dev/null
systemctl reset-failed {_UNIT} 2>/dev/null
ip link delete {_BRIDGE} 2>/dev/null
for mount in $(awk '{{print $5}}' /proc/self/mountinfo | grep -E '^({_ROOT}|{_RUN})/' | sort -r); do umount "$mount"; done
rm -rf {_ROOT} {_RUN}
"""


@dataclass(frozen=True)
class ContainerdDocker:
    """The engine: its address and a directory with the certificates of a client."""

    host: str
    certificates: Path

    @property
    def options(self) -> dict[str, t.Any]:
        return {"docker_host": self.host, "docker_cert_path": str(self.certificates)}

    def client(self) -> docker.DockerClient:
        """For what is asked past the collection; the caller closes it."""
        return client_of(self.host, self.certificates)


@contextlib.contextmanager
def running() -> t.Iterator[ContainerdDocker]:
    """The engine, from when it answers to when nothing of it is left, whatever an interrupted run left before."""
    docker0 = on_node("dock", "ip", "-brief", "link", "show", "docker0")
    _stop()
    try:
        # it has started when dockerd says so, which is when it answers
        properties = ("--property=Type=notify", "--property=NotifyAccess=main", "--property=Delegate=yes")
        try:
            on_node("dock", "systemd-run", "--quiet", f"--unit={_UNIT}", *properties, "/bin/sh", "-c", _START)
        except AssertionError:
            pytest.fail(on_node("dock", "journalctl", "--no-pager", "--lines=30", f"--unit={_UNIT}"), pytrace=False)
        yield ContainerdDocker(f"tcp://{DOCK.address}:{_PORT}", Places.of_user().builder)
    finally:
        _stop()
    assert on_node("dock", "ip", "-brief", "link", "show", "docker0").split()[0] == docker0.split()[0]


def _stop() -> None:
    command = ["docker", "exec", DOCK.container, "sh", "-c", _STOP]
    subprocess.run(command, capture_output=True, check=False, timeout=60)
