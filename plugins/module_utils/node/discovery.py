# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Which container engines a node has: by their processes, whose flags count, their programs and their sockets.

One look serves every stage. It starts no program and asks no engine; what an engine says of itself is in C(versions.py),
and what is to be done with one is the stages' affair.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import (
    CONTAINERD,
    CRIO,
    DAEMONS,
    DOCKER,
    PODMAN,
    Engine,
)
from ansible_collections.longshore.delivery.plugins.module_utils.node.kubelet import Kubelet, find_kubelet, socket_of
from ansible_collections.longshore.delivery.plugins.module_utils.node.processes import Process, executable, running

CRICTL = "crictl"
KUBELET = "kubelet"
# Podman, Buildah and Skopeo are one engine, since they read the same files; the first of them that is there stands for it.
LIBRARY_PROGRAMS = ("podman", "skopeo", "buildah")
SOCKETS = {
    CONTAINERD: "/run/containerd/containerd.sock",
    CRIO: "/run/crio/crio.sock",
    DOCKER: "/var/run/docker.sock",
}
# Below the root, as their packages have them.
CONFIG_FILES = {
    CONTAINERD: "etc/containerd/config.toml",
    CRIO: "etc/crio/crio.conf",
    DOCKER: "etc/docker/daemon.json",
    PODMAN: "etc/containers/registries.conf.d",
}
# A shell that Ansible starts, or sudo, may know fewer directories than a login.
_DIRECTORIES = (
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
    "/opt/bin",
)
_OWNERS = {
    "/rancher/rke2": "RKE2",
    "/rancher/k3s": "k3s",
    "docker/containerd": "Docker",
    "/snap/microk8s": "MicroK8s",
}


@dataclasses.dataclass(frozen=True)
class Seen:
    """What a node has.

    :param engines: one for each that is there; several containerds where others have brought their own.
    :param programs: where the programs of engines and their clients are, by name, for those that are there.
    """

    engines: t.Tuple[Engine, ...] = ()
    kubelet: Kubelet = dataclasses.field(default_factory=Kubelet)
    programs: t.Mapping[str, str] = dataclasses.field(default_factory=dict)

    def own(self, name: str) -> t.Optional[Engine]:
        """The engine of this name that is nobody's part; None if there is none."""
        return next((engine for engine in self.engines if engine.name == name and not engine.owner), None)


def look(root: str = "/") -> Seen:
    """Look at this node.

    :param root: the directory that is taken for the file system's root, for files, sockets, programs and processes.
    """
    return _Look(root).seen()


class _Look:
    """One look: what several engines are found by is read once."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._proc = os.path.join(root, "proc")
        self._processes = running((*DAEMONS.values(), KUBELET), self._proc) if os.path.isdir(self._proc) else {}
        directories = os.environ.get("PATH", "").split(os.pathsep) + [self._below(name) for name in _DIRECTORIES]
        names = (*DAEMONS.values(), KUBELET, CRICTL, *LIBRARY_PROGRAMS)
        found = {name: shutil.which(name, path=os.pathsep.join(directories)) for name in names}
        self._programs = {name: path for name, path in found.items() if path}
        kubelets = self._processes.get(KUBELET, ())
        self._kubelet = find_kubelet(next(iter(kubelets), None), self._programs.get(KUBELET, ""), root)

    def seen(self) -> Seen:
        engines = [*self._containerds(), *self._daemon(CRIO), *self._daemon(DOCKER), *self._library()]
        return Seen(tuple(engines), self._kubelet, self._programs)

    def _containerds(self) -> t.Iterator[Engine]:
        processes = self._processes.get(DAEMONS[CONTAINERD], ())
        for process in processes:
            owner = next((name for part, name in _OWNERS.items() if part in " ".join(process.argv)), "")
            yield dataclasses.replace(self._engine(CONTAINERD, process), owner=owner)
        if not processes:
            yield from self._daemon(CONTAINERD)

    def _daemon(self, name: str) -> t.Iterator[Engine]:
        engine = self._engine(name, next(iter(self._processes.get(DAEMONS[name], ())), None))
        if engine.is_of_this_node or engine.listens:
            yield engine

    def _engine(self, name: str, process: t.Optional[Process]) -> Engine:
        program = (executable(process, self._proc) if process else "") or self._programs.get(DAEMONS[name], "")
        socket = self._socket(name, process)
        return Engine(
            name,
            "",
            (_config_flag(name, process) if process else None) or self._below(CONFIG_FILES[name]),
            process,
            socket,
            client="" if name == DOCKER else self._programs.get(CRICTL, ""),
            program=program,
            listens=os.path.exists(self._below(socket)),
        )

    def _socket(self, name: str, process: t.Optional[Process]) -> str:
        """By its flags, else for a runtime the one that the kubelet uses, if its name says that it is this one's."""
        socket = _socket_flag(name, process) if process else None
        if not socket and name != DOCKER and name in self._kubelet.socket:
            socket = self._kubelet.socket
        return socket or SOCKETS[name]

    def _library(self) -> t.Iterator[Engine]:
        program = next((name for name in LIBRARY_PROGRAMS if name in self._programs), None)
        if program is not None:
            path = self._programs[program]
            client = path if program != "buildah" else ""
            yield Engine(PODMAN, "", self._below(CONFIG_FILES[PODMAN]), client=client, program=path)

    def _below(self, path: str) -> str:
        return os.path.join(self._root, path.lstrip("/"))


def _config_flag(name: str, process: Process) -> t.Optional[str]:
    return process.flag("--config-file") if name == DOCKER else process.flag("--config", "-c")


def _socket_flag(name: str, process: Process) -> t.Optional[str]:
    if name == DOCKER:
        hosts = process.flags("-H", "--host")
        return next((socket_of(host) for host in hosts if host.startswith("unix://")), None)
    flag = process.flag("--address", "-a") if name == CONTAINERD else process.flag("--listen")
    return socket_of(flag) if flag else None
