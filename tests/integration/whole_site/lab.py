# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A user's site on the lab, small enough to be delivered often, and a look at all that a delivery could change."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
import typing as t
import uuid
from pathlib import Path

import yaml

from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from tests.demo.delivery import Delivery, deliver
from tests.demo.settings import of_lab
from tests.integration.asking import in_cluster, on_node
from tests.integration.distribution.lab import BUILDS, ENDPOINT, LOGIN, PLACES, PREFIX
from tests.lab.builds import build
from tests.lab.nodes import NODES

AWAY = "10.90.0.99"  # an address of the lab's network that nobody has
DOCKERFILE = 'FROM scratch\nCOPY pause version /\nUSER 65535:65535\nENTRYPOINT ["/pause"]\n'
LIST = 'for path in "$@"; do [ ! -e $path ] || find $path -printf "%p %y %m %U:%G %s %T@\\n"; done'
# what a delivery could write to on a node
WATCHED = (
    *("/etc/containerd", "/etc/docker", "/etc/containers", "/etc/nginx", "/etc/longshore", "/etc/systemd/system"),
    *("/var/lib/longshore", "/var/lib/dpkg/status"),
)
UNITS = ("containerd", "docker", "crio", "kubelet", "nginx", "longshore-registry")
IMAGES = {
    "containerd-debian": ("crictl images --digests",),
    "containerd-module": ("crictl images --digests",),
    "crio": ("crictl images --digests",),
    "dock": tuple(
        f"{engine} images --all --format '{{{{.Repository}}}}:{{{{.Tag}}}} {{{{.Digest}}}} {{{{.ID}}}}'"
        for engine in ("docker", "podman")
    ),
}
OBJECTS = "namespaces,deployments,replicasets,services,configmaps,secrets,serviceaccounts,pods"


class Site:
    """An inventory, sources and variables as a user keeps them; all names are this site's own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.namespace = f"longshore-test-site-{uuid.uuid4().hex[:8]}"
        self.repository = f"{PREFIX}/{uuid.uuid4().hex[:12]}"
        self.inventory: dict[str, t.Any] = yaml.safe_load(PLACES.inventory.read_text())
        self.groups: dict[str, t.Any] = self.inventory["all"]["children"]
        self.variables: dict[str, t.Any] = {
            "longshore_registry": {"endpoint": ENDPOINT, **LOGIN},
            "longshore_builder": BUILDS,
            "longshore_kubeconfig": str(PLACES.kubeconfig),
            "longshore_images": [{"name": self.repository, "source": "source", "tags": ["{{ version }}"]}],
            "longshore_workloads": [
                {
                    "name": "web",
                    "namespace": self.namespace,
                    "create_namespace": True,
                    "image": f"{self.repository}:{{{{ version }}}}",
                    "replicas": 1,
                    "stop_seconds": 1,
                    "pre_stop_pause": 0,
                }
            ],
            "version": "1",
        }
        source = directory / "source"
        source.mkdir()
        shutil.copy(build(["pause"], PLACES.root, print)["pause"] / "pause", source / "pause")
        (source / "Dockerfile").write_text(DOCKERFILE)
        lab = of_lab(directory)
        self.settings = dataclasses.replace(
            lab,
            inventories=(directory / "hosts.yml",),
            extra_vars=directory / "variables.json",
            environment={**lab.environment, "XDG_STATE_HOME": str(directory / "state")},
        )

    def run(self, *flags: str, playbook: str = "site", **variables: t.Any) -> Delivery:
        """ansible-playbook in the site's directory; the password must not show."""
        given = {**self.variables, **variables}
        (self.directory / "source" / "version").write_text(f"{self.repository} {given['version']}\n")
        (self.directory / "hosts.yml").write_text(yaml.safe_dump(self.inventory))
        (self.directory / "variables.json").write_text(json.dumps(given))
        ran = deliver(self.settings, playbook, *flags, show=False)
        assert LOGIN["password"] not in ran.output
        return ran

    def image(self, digest: str) -> str:
        return f"{ENDPOINT}/{self.repository}@{digest}"

    def running(self) -> set[str]:
        """The images of the pods that are ready, as the kubelet names them."""
        pods = in_cluster("get", "pods", "-n", self.namespace)["items"]
        return {
            status["imageID"].rpartition("@")[2]
            for pod in pods
            if "deletionTimestamp" not in pod["metadata"]
            for status in pod["status"].get("containerStatuses", ())
            if status["ready"]
        }

    def served(self, tag: str) -> str | None:
        """The digest that the registry itself names for a tag of the site's image."""
        login = {"endpoint": ENDPOINT, "ca": on_node("dock", "cat", "/etc/longshore/registry/ca.crt"), **LOGIN}
        with RegistryClient(RegistrySettings.from_params(login)) as registry:
            head = registry.head_manifest(self.repository, tag)
        return str(head.digest) if head else None


@contextlib.contextmanager
def unreachable(node: str) -> t.Iterator[None]:
    """Nobody gets to a node by SSH, connections that are kept included; the cluster does not notice."""
    rule = ("INPUT", "-p", "tcp", "--dport", "22", "-j", "REJECT", "--reject-with", "tcp-reset")
    on_node(node, "iptables", "-I", *rule)
    try:
        yield
    finally:
        on_node(node, "iptables", "-D", *rule)


def state(node: str) -> list[str]:
    """All that a delivery could change on a node, in the words of find, systemd and the engines' own programs."""
    script = [
        LIST,
        *(f"echo {unit} $(systemctl show --property MainPID --value {unit})" for unit in UNITS),
        *IMAGES[NODES[node].image],
    ]
    return sorted(on_node(node, "sh", "-ec", "\n".join(script), "sh", *WATCHED).splitlines())


def state_of_cluster() -> list[str]:
    """Every object that a delivery could make or change, without those that are on their way out.

    What the cluster's own controllers make of an object follows it in their own time, as an earlier rollout's pods that end: so
    neither objects that have an owner count nor changes that leave the generation, which is that of the wanted state, as it is.
    """
    items = in_cluster("get", OBJECTS, "--all-namespaces")["items"]
    leaving = {item["metadata"]["name"] for item in items if item.get("status", {}).get("phase") == "Terminating"}
    return sorted(
        " ".join(
            (
                item["kind"],
                meta.get("namespace", ""),
                meta["name"],
                str(meta.get("generation") or meta["resourceVersion"]),
            )
        )
        for item in items
        for meta in [item["metadata"]]
        if meta.get("namespace", meta["name"]) not in leaving and not meta.get("ownerReferences")
    )


def state_of_all() -> dict[str, list[str]]:
    data = sorted(on_node("dock", "sh", "-c", LIST, "sh", "/var/lib/docker-registry").splitlines())
    return {**{node: state(node) for node in NODES}, "registry": data, "cluster": state_of_cluster()}


@contextlib.contextmanager
def nothing_changes(*nodes: str) -> t.Iterator[None]:
    """While the body runs, on these nodes; by default on all, in the registry and in the cluster."""

    def look() -> dict[str, list[str]]:
        return {node: state(node) for node in nodes} if nodes else state_of_all()

    before = look()
    yield
    after = look()
    changes = {
        place: {
            "before": sorted(set(before[place]) - set(after[place])),
            "after": sorted(set(after[place]) - set(before[place])),
        }
        for place in before
        if before[place] != after[place]
    }
    assert not changes, changes
