# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's nodes, their names, addresses and runtimes."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import LabError

LABEL = "longshore.lab=1"
NETWORK = "longshore-lab"
SUBNET = "10.90.0.0/24"
POD_CIDR = "10.91.0.0/16"
SERVICE_CIDR = "10.92.0.0/16"
KUBERNETES_SERVICE = "10.92.0.1"
DNS_SERVICE = "10.92.0.10"
CLUSTER_DOMAIN = "cluster.local"


@dataclass(frozen=True)
class Node:
    """A machine of the lab. `image` names its kind of node image; `pod_cidr` is empty outside the cluster."""

    name: str
    address: str
    image: str
    pod_cidr: str = ""
    runtime: str = ""  # as the cluster reports it, up to where versions of one kind differ
    services: tuple[str, ...] = ()

    @property
    def container(self) -> str:
        return f"longshore-{self.name}"

    @property
    def in_cluster(self) -> bool:
        return bool(self.pod_cidr)

    @property
    def cri_socket(self) -> str:
        return "/run/crio/crio.sock" if self.image == "crio" else "/run/containerd/containerd.sock"

    @property
    def programs(self) -> tuple[str, ...]:
        """Names of the Go programs that run on this node."""
        if not self.in_cluster:
            return ()
        engine = {"containerd-module": ("containerd",), "crio": ("crio",)}.get(self.image, ())
        return ("kubernetes", "crictl", *engine)


_CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
_WORKER = ("dnsmasq-node", "pod-network", "kubelet", "kube-proxy")

CP = Node(
    "cp",
    "10.90.0.11",
    "containerd-debian",
    "10.91.1.0/24",
    "containerd://1.7.",
    ("containerd", *_WORKER, *_CONTROL_PLANE),
)
N1 = Node("n1", "10.90.0.12", "containerd-module", "10.91.2.0/24", "containerd://2.2.", ("containerd", *_WORKER))
N2 = Node("n2", "10.90.0.13", "crio", "10.91.3.0/24", "cri-o://1.36.", ("crio", *_WORKER))
DOCK = Node("dock", "10.90.0.20", "dock", services=("dnsmasq-node", "docker"))

NODES = {node.name: node for node in (CP, N1, DOCK, N2)}
CLUSTER = tuple(node for node in NODES.values() if node.in_cluster)
DEFAULT = ("cp", "n1", "dock")
API_SERVER = f"https://{CP.address}:6443"
BUILDER = f"tcp://{DOCK.address}:2376"


def select(names: str) -> tuple[Node, ...]:
    """Nodes of a list such as "cp,n1,dock", in the lab's own order. Raises LabError for one that it does not have."""
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in NODES]
    if unknown or not wanted:
        raise LabError(f"There is no node {', '.join(unknown) or names!r}; the lab has {', '.join(NODES)}.")
    if any(NODES[name].in_cluster for name in wanted) and CP.name not in wanted:
        raise LabError(f"{', '.join(wanted)} need {CP.name}: the control plane runs there.")
    return tuple(node for node in NODES.values() if node.name in wanted)
