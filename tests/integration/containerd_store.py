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

_PORT = 2377  # and those above it
_PLACES = Places.of_user()  # now: a test may have a cache directory of its own
_PKI = "/etc/longshore-lab/docker"
_START = """
set -e
. /run/own-cgroup
mkdir -p {run} {root}
{mount}
ip link add name {bridge} type bridge
ip address add 10.93.{number}.1/24 dev {bridge}
ip link set {bridge} up
echo '{{"features": {{"containerd-snapshotter": true}}}}' > {run}/daemon.json
printf 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n' > {run}/containerd.toml
containerd --config {run}/containerd.toml --root {root}/containerd --state {run}/containerd \
  --address {run}/containerd.sock &
exec dockerd --config-file={run}/daemon.json --host=tcp://0.0.0.0:{port} \
  --tlsverify --tlscacert={pki}/ca.pem --tlscert={pki}/cert.pem --tlskey={pki}/key.pem \
  --containerd={run}/containerd.sock --data-root={root}/docker --exec-root={run}/docker --pidfile={run}/docker.pid \
  --bridge={bridge} --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false --userland-proxy=false \
  --cgroup-parent="$NODE_CGROUP/{unit}"
"""
_STOP = """
systemctl stop {unit} 2>/dev/null
systemctl reset-failed {unit} 2>/dev/null
ip link delete {bridge} 2>/dev/null
for mount in $(awk '{{print $5}}' /proc/self/mountinfo | grep -E '^({root}|{run})(/|$)' | sort -r); do umount "$mount"; done
rm -rf {root} {run}
"""


@dataclass(frozen=True)
class ContainerdDocker:
    """The engine: its unit on dock, its address and a directory with the certificates of a client."""

    unit: str
    host: str
    certificates: Path

    @property
    def options(self) -> dict[str, t.Any]:
        return {"docker_host": self.host, "docker_cert_path": str(self.certificates)}

    def client(self) -> docker.DockerClient:
        """For what is asked past the collection; the caller closes it."""
        return client_of(self.host, self.certificates)


@contextlib.contextmanager
def running(number: int = 0, disk: str = "") -> t.Iterator[ContainerdDocker]:
    """The engine, from when it answers to when nothing of it is left, whatever an interrupted run left before.

    :param number: tells several apart.
    :param disk: the size of a disk of its own, as mount has it, for one that is to fill up.
    """
    unit, port = f"longshore-test-containerd-store-{number}", _PORT + number
    root = f"/var/lib/containerd/{unit}"  # on a volume: an overlay cannot be on another one
    names = {"unit": unit, "number": number, "bridge": f"longshore-test{number}", "run": f"/run/{unit}", "root": root}
    mount = f"mount -t tmpfs -o size={disk} tmpfs {root}" if disk else ""
    docker0 = on_node("dock", "ip", "-brief", "link", "show", "docker0")
    _stop(names)
    try:
        # it has started when dockerd says so, which is when it answers
        properties = ("--property=Type=notify", "--property=NotifyAccess=main", "--property=Delegate=yes")
        start = _START.format(**names, mount=mount, port=port, pki=_PKI)
        try:
            on_node("dock", "systemd-run", "--quiet", f"--unit={unit}", *properties, "/bin/sh", "-c", start)
        except AssertionError:
            pytest.fail(on_node("dock", "journalctl", "--no-pager", "--lines=30", f"--unit={unit}"), pytrace=False)
        yield ContainerdDocker(unit, f"tcp://{DOCK.address}:{port}", _PLACES.builder)
    finally:
        _stop(names)
    assert on_node("dock", "ip", "-brief", "link", "show", "docker0").split()[0] == docker0.split()[0]


def _stop(names: t.Mapping[str, object]) -> None:
    command = ["docker", "exec", DOCK.container, "sh", "-c", _STOP.format(**names)]
    subprocess.run(command, capture_output=True, check=False, timeout=60)
