# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of a node: rendered whole, enabled, secrets for root alone, nothing that is the delivery's to write."""

from __future__ import annotations

import io
import json
import tarfile
import typing as t

import pytest
import yaml

from tests.lab.node_files import NodeFile, archive, overlay_files, program_links
from tests.lab.nodes import CP, DOCK, N1, N2, NODES, Node


def by_path(node: Node) -> dict[str, NodeFile]:
    return {file.path: file for file in overlay_files(node)}


@pytest.mark.parametrize("node", NODES.values(), ids=lambda node: node.name)
def test_overlays_render_whole_and_without_clashes(node: Node) -> None:
    files = list(overlay_files(node))
    assert len({file.path for file in files}) == len(files)
    assert not any("{{" in file.content or "{%" in file.content for file in files)


@pytest.mark.parametrize("node", NODES.values(), ids=lambda node: node.name)
def test_each_service_that_the_lab_writes_is_enabled(node: Node) -> None:
    files = by_path(node)
    written = {f"{service}.service" for service in node.services if f"etc/systemd/system/{service}.service" in files}
    enabled = {path.rsplit("/", 1)[1] for path in files if "multi-user.target.wants/" in path}
    assert written <= enabled
    assert "dnsmasq-node.service" in enabled


@pytest.mark.parametrize("node", [CP, N1, N2], ids=lambda node: node.name)
def test_a_cluster_node_has_its_own_network_and_routes_to_the_others(node: Node) -> None:
    files = by_path(node)
    network = json.loads(files["etc/cni/net.d/10-longshore-lab.conflist"].content)
    assert network["plugins"][0]["ipam"]["ranges"] == [[{"subnet": node.pod_cidr}]]
    routes = files["usr/local/lib/longshore-lab/pod-network"].content
    assert node.pod_cidr not in routes
    for other in {CP, N1, N2} - {node}:
        assert f"ip route replace {other.pod_cidr} via {other.address}" in routes
    kubelet = yaml.safe_load(files["etc/kubernetes/kubelet.yaml"].content)
    assert kubelet["containerRuntimeEndpoint"] == f"unix://{node.cri_socket}"
    assert kubelet["failCgroupV1"] is False


@pytest.mark.parametrize("node", NODES.values(), ids=lambda node: node.name)
def test_trust_is_left_to_the_delivery(node: Node) -> None:
    files = by_path(node)
    assert not {path for path in files if "certs.d" in path or "registries" in path or path.endswith("daemon.json")}
    for word in ("config_path", "insecure", "mirror"):
        assert not [path for path, file in files.items() if word in file.content.lower()]


def test_only_the_control_plane_runs_the_control_plane() -> None:
    assert "etc/systemd/system/kube-apiserver.service" in by_path(CP)
    assert "etc/systemd/system/kube-apiserver.service" not in by_path(N1)
    assert "etc/systemd/system/kubelet.service" not in by_path(DOCK)


def test_commands_are_links_into_the_mounted_programs() -> None:
    links = {file.path: file.link for file in program_links(N2)}
    assert links["usr/local/bin/kubelet"] == "/opt/longshore-lab/kubernetes/kubelet"
    assert links["usr/local/bin/crictl"] == "/opt/longshore-lab/crictl/crictl"
    assert links["usr/local/bin/crio"] == "/opt/longshore-lab/crio/crio"
    assert not list(program_links(DOCK))


def test_the_archive_keeps_modes_and_links() -> None:
    packed = archive([NodeFile("etc/secret", "s", 0o600), NodeFile("opt/link", link="/etc/secret")])
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        assert tar.getmember("root/.ssh").mode == 0o700
        assert tar.getmember("etc/secret").mode == 0o600
        assert tar.getmember("etc/secret").uid == 0
        assert t.cast(t.IO[bytes], tar.extractfile("etc/secret")).read() == b"s"
        assert tar.getmember("opt/link").linkname == "/etc/secret"
