# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files that make a plain image a node of the lab: overlays/, certificates, kubeconfigs, links to programs."""

from __future__ import annotations

import base64
import io
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import jinja2
import yaml

from . import pki
from .nodes import API_SERVER, CLUSTER, CLUSTER_DOMAIN, CP, DNS_SERVICE, POD_CIDR, SERVICE_CIDR, Node
from .places import SOURCE
from .recipes import PROGRAMS
from .scratch_images import PAUSE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .pki import Authority

OVERLAYS = SOURCE / "overlays"
PROGRAMS_MOUNT = "/opt/longshore-lab"
SCRIPTS = "usr/local/lib/longshore-lab/"
UNITS = "etc/systemd/system/"


@dataclass(frozen=True)
class NodeFile:
    """A file (or, with `link`, a symbolic link) of a node; `path` has no leading slash."""

    path: str
    content: str = ""
    mode: int = 0o644
    link: str = ""


def layers(node: Node) -> tuple[str, ...]:
    """Names of the overlays of a node, from the common to the special."""
    cluster = ("cluster",) if node.in_cluster else ()
    control_plane = ("control-plane",) if node == CP else ()
    return ("node", *cluster, *control_plane, node.image)


def overlay_files(node: Node) -> Iterator[NodeFile]:
    """Files of the node's overlays, *.j2 rendered; each unit with an [Install] section is enabled."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True, keep_trailing_newline=True)
    values = {
        "node": node,
        "cluster": CLUSTER,
        "cluster_domain": CLUSTER_DOMAIN,
        "dns_service": DNS_SERVICE,
        "pause_image": PAUSE,
        "pod_cidr": POD_CIDR,
        "service_cidr": SERVICE_CIDR,
    }
    for layer in layers(node):
        root = OVERLAYS / layer
        for source in sorted(path for path in root.rglob("*") if path.is_file()):
            path = source.relative_to(root).as_posix()
            content = source.read_text(encoding="utf-8")
            if path.endswith(".j2"):
                path = path[: -len(".j2")]
                content = environment.from_string(content).render(values)
            yield NodeFile(path, content, 0o755 if path.startswith(SCRIPTS) else 0o644)
            unit = path[len(UNITS) :] if path.startswith(UNITS) else ""
            if unit and "/" not in unit and "[Install]" in content:
                yield NodeFile(f"{UNITS}multi-user.target.wants/{unit}", link=f"/{path}")


def program_links(node: Node) -> Iterator[NodeFile]:
    """/usr/local/bin/<command> of each program of the node; the programs themselves are a mount."""
    for name in node.programs:
        program = PROGRAMS[name]
        for command in (*program.outputs, *program.links):
            yield NodeFile(f"usr/local/bin/{command}", link=f"{PROGRAMS_MOUNT}/{name}/{command}")
    if node.in_cluster:
        yield NodeFile("opt/cni/bin", link="/usr/lib/cni")  # where others look for CNI plugins


def kubeconfig(authority: Authority, identity: pki.Identity, server: str = API_SERVER) -> str:
    """A kubeconfig, complete in itself, of one identity."""

    def data(name: str) -> str:
        return base64.b64encode(authority.text(name).encode()).decode()

    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": "longshore-lab", "cluster": {"server": server, "certificate-authority-data": data("ca.crt")}}
            ],
            "users": [
                {
                    "name": identity.common_name,
                    "user": {
                        "client-certificate-data": data(f"{identity.file}.crt"),
                        "client-key-data": data(f"{identity.file}.key"),
                    },
                }
            ],
            "contexts": [
                {"name": "longshore-lab", "context": {"cluster": "longshore-lab", "user": identity.common_name}}
            ],
            "current-context": "longshore-lab",
        },
        sort_keys=False,
    )


def cluster_secrets(node: Node, authority: Authority) -> Iterator[NodeFile]:
    """Certificates and kubeconfigs of a cluster node; the control plane has its own in addition."""
    certificates = {"kubelet-server": pki.node_server(node).file}
    configurations = {"kubelet": pki.node_client(node), "kube-proxy": pki.PROXY}
    if node == CP:
        certificates |= {identity.file: identity.file for identity in (pki.API_SERVER, pki.KUBELET_CLIENT)}
        configurations |= {"controller-manager": pki.CONTROLLER_MANAGER, "scheduler": pki.SCHEDULER, "admin": pki.ADMIN}
        service_accounts = authority.text("service-accounts.key")
        yield NodeFile("etc/kubernetes/pki/service-accounts.key", service_accounts, 0o600)
    yield NodeFile("etc/kubernetes/pki/ca.crt", authority.text("ca.crt"))
    for name, file in certificates.items():
        yield NodeFile(f"etc/kubernetes/pki/{name}.crt", authority.text(f"{file}.crt"))
        yield NodeFile(f"etc/kubernetes/pki/{name}.key", authority.text(f"{file}.key"), 0o600)
    for name, identity in configurations.items():
        yield NodeFile(f"etc/kubernetes/{name}.conf", kubeconfig(authority, identity), 0o600)


def builder_secrets(authority: Authority) -> Iterator[NodeFile]:
    """What dock's engine serves TLS with, and the authority whose clients it lets in."""
    server = pki.BUILDER_SERVER.file
    yield NodeFile("etc/longshore-lab/docker/ca.pem", authority.text("ca.crt"))
    yield NodeFile("etc/longshore-lab/docker/cert.pem", authority.text(f"{server}.crt"))
    yield NodeFile("etc/longshore-lab/docker/key.pem", authority.text(f"{server}.key"), 0o600)


def archive(files: Iterable[NodeFile]) -> bytes:
    """The files as a tar, owned by root; /root/.ssh is for root alone."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as tar:
        directory = tarfile.TarInfo("root/.ssh")
        directory.type, directory.mode = tarfile.DIRTYPE, 0o700
        tar.addfile(directory)
        for file in files:
            member = tarfile.TarInfo(file.path)
            content = file.content.encode()
            if file.link:
                member.type, member.linkname = tarfile.SYMTYPE, file.link
            else:
                member.mode, member.size = file.mode, len(content)
            tar.addfile(member, io.BytesIO(content))
    return target.getvalue()
