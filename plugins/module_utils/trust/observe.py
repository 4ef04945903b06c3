# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Look at a node: which engines there are, what they say of themselves, and the files around them. Nothing is changed
here.
"""

from __future__ import annotations

import dataclasses
import glob
import os
import shutil
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import RunCommand
from ansible_collections.longshore.delivery.plugins.module_utils.trust import atomic, docker_api
from ansible_collections.longshore.delivery.plugins.module_utils.trust.engine import (
    CONTAINERD,
    CRIO,
    DOCKER,
    PODMAN,
    Engine,
    version_in,
)
from ansible_collections.longshore.delivery.plugins.module_utils.trust.locations import Locations
from ansible_collections.longshore.delivery.plugins.module_utils.trust.processes import Process, running

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_OTHERS_CONTAINERD = {
    "/rancher/rke2": "RKE2",
    "/rancher/k3s": "k3s",
    "docker/containerd": "Docker",
    "/snap/microk8s": "MicroK8s",
}


@dataclasses.dataclass(frozen=True)
class Found:
    """The engines of a node.

    :param engines: those that can be served, by name.
    :param passed_over: engines that are there and are somebody else's part, by name, with the reason.
    """

    engines: t.Mapping[str, Engine]
    passed_over: t.Mapping[str, str]


def find_engines(run_command: RunCommand, locations: Locations, wanted: t.Container[str]) -> Found:
    """Look for engines: by their processes, whose flags count, and by their programs.

    :param wanted: engines that were named, and are served even where they look like another engine's part.
    """
    processes = running(("containerd", "dockerd", "crio", "kubelet", "k3s", "rke2"))
    engines: t.Dict[str, Engine] = {}
    passed_over: t.Dict[str, str] = {}
    crictl = _program("crictl")
    for process in processes["containerd"]:
        owner = next((name for part, name in _OTHERS_CONTAINERD.items() if part in " ".join(process.argv)), None)
        if owner is None:
            engines[CONTAINERD] = _containerd(run_command, locations, process, crictl)
        else:
            passed_over[CONTAINERD] = "it belongs to %s, which writes its configuration itself" % owner
    if CONTAINERD not in engines and CONTAINERD not in passed_over and _program("containerd"):
        engines[CONTAINERD] = _containerd(run_command, locations, None, crictl)
    if processes["dockerd"] or _program("dockerd"):
        engines[DOCKER] = _docker(run_command, locations, next(iter(processes["dockerd"]), None))
    for program in ("podman", "skopeo", "buildah"):
        path = _program(program)
        if path:
            version = version_in(run_command([path, "--version"]).stdout)
            client = path if program != "buildah" else ""
            engines[PODMAN] = Engine(PODMAN, version, locations.registries_drop_ins, client=client)
            break
    if processes["crio"] or _program("crio"):
        engines[CRIO] = _crio(run_command, next(iter(processes["crio"]), None), crictl)
    is_kubernetes = bool(processes["kubelet"] or _program("kubelet"))
    if CONTAINERD in engines and CONTAINERD not in wanted and not is_kubernetes:
        other = next((name for name in (DOCKER, CRIO) if name in engines), None)
        if other is not None and not crictl:
            del engines[CONTAINERD]
            passed_over[CONTAINERD] = (
                "it serves Docker, and there is no kubelet that pulls through it; name it in 'engines' if something "
                "else does"
                if other == DOCKER
                else "CRI-O serves this node; name it in 'engines' if something pulls through it"
            )
    return Found(engines, passed_over)


def _containerd(run_command: RunCommand, locations: Locations, process: t.Optional[Process], crictl: str) -> Engine:
    program = _executable(process) or _program("containerd")
    # "containerd github.com/containerd/containerd/v2 v2.2.9 ...": the module's name has a number too
    words = run_command([program, "--version"]).stdout.split()
    config = process.flag("--config", "-c") if process else None
    socket = process.flag("--address", "-a") if process else None
    return Engine(
        CONTAINERD,
        version_in(" ".join(words[2:])),
        config or locations.containerd_config,
        process,
        socket or "/run/containerd/containerd.sock",
        crictl,
        program=program,
    )


def _docker(run_command: RunCommand, locations: Locations, process: t.Optional[Process]) -> Engine:
    config = process.flag("--config-file") if process else None
    hosts = process.flags("-H", "--host") if process else []
    sockets = [host[len("unix://") :] for host in hosts if host.startswith("unix://")]
    socket = sockets[0] if sockets else "/var/run/docker.sock"
    engine = Engine(DOCKER, "", config or locations.docker_settings, process, socket)
    if process is not None:
        try:
            info = docker_api.DockerApi(socket).info()
        except OSError:
            pass  # it starts just now, or listens elsewhere: its program knows the version too
        else:
            insecure = docker_api.insecure_registries(info)
            return dataclasses.replace(engine, version=version_in(str(info.get("ServerVersion"))), insecure=insecure)
    program = _executable(process) or _program("dockerd")
    return dataclasses.replace(engine, version=version_in(run_command([program, "--version"]).stdout))


def _crio(run_command: RunCommand, process: t.Optional[Process], crictl: str) -> Engine:
    program = _executable(process) or _program("crio")
    version = version_in(run_command([program, "--version"]).stdout)
    config = process.flag("--config", "-c") if process else None
    socket = process.flag("--listen") if process else None
    return Engine(CRIO, version, config or "/etc/crio/crio.conf", process, socket or "/var/run/crio/crio.sock", crictl)


def _executable(process: t.Optional[Process]) -> str:
    """The path of a running program's file; after an upgrade without a restart that file is deleted."""
    if process is None:
        return ""
    try:
        path = os.readlink("/proc/%d/exe" % process.pid)
    except OSError:
        return ""
    return path if os.path.exists(path) else ""


def _program(name: str) -> str:
    return shutil.which(name, path=os.environ.get("PATH", "") + os.pathsep + _PATH) or ""


def read_files(paths: t.Iterable[str]) -> t.Dict[str, atomic.FileState]:
    """The files that are there, of these.

    :raises OSError: one cannot be read.
    """
    states = {path: atomic.read(path) for path in set(paths)}
    return {path: state for path, state in states.items() if state is not None}


def read_contents(patterns: t.Iterable[str]) -> t.Dict[str, bytes]:
    """The contents of the files that these paths and patterns name, as far as they can be read."""
    contents = {}
    for pattern in patterns:
        for path in glob.glob(pattern):
            state = atomic.read(path) if os.path.isfile(path) else None
            if state is not None:
                contents[path] = state.content
    return contents


def list_directories(paths: t.Iterable[str]) -> t.Dict[str, t.List[str]]:
    """The names in those of these directories that are there."""
    return {path: sorted(os.listdir(path)) for path in set(paths) if os.path.isdir(path)}
