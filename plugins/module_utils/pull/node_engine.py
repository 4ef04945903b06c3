# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Which container engine of a node is to hold the images."""

from __future__ import annotations

import dataclasses
import os
import re
import shlex
import shutil
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError

AUTO = "auto"
CONTAINERD = "containerd"
CRIO = "crio"
DOCKER = "docker"
PODMAN = "podman"
CRI_SOCKETS = {CONTAINERD: "/run/containerd/containerd.sock", CRIO: "/run/crio/crio.sock"}
DOCKER_SOCKET = "/var/run/docker.sock"
KUBELET_CONFIG = "/var/lib/kubelet/config.yaml"
KUBEADM_FLAGS = "/var/lib/kubelet/kubeadm-flags.env"

# A shell that Ansible starts, or sudo, may know fewer directories than a login.
_MORE_DIRECTORIES = ("/usr/local/bin", "/usr/local/sbin", "/usr/bin", "/usr/sbin", "/opt/bin")
_ENDPOINT_OPTION = re.compile(r"--container-runtime-endpoint[= ]\"?([^\s\"]+)")
_ENDPOINT_KEY = re.compile(r"^containerRuntimeEndpoint:\s*[\"']?([^\s\"'#]+)", re.MULTILINE)
_CONFIG_OPTION = re.compile(r"--config[= ](\S+)")


@dataclasses.dataclass(frozen=True)
class Seen:
    """What a node has, as far as the choice needs it.

    :param kubernetes: why it is a node of Kubernetes, as in "its kubelet runs"; empty if it is none.
    :param kubelet_socket: the CRI socket that its kubelet is configured with; empty if that is not known.
    :param sockets: those of the well-known sockets, of C(CRI_SOCKETS) and Docker's, that are there.
    :param programs: where crictl and podman are, for those that are there.
    """

    kubernetes: str = ""
    kubelet_socket: str = ""
    sockets: t.FrozenSet[str] = frozenset()
    programs: t.Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Chosen:
    """An engine: its name, where it listens (a socket's path, empty for Podman), its program (empty for Docker), and why it."""

    name: str
    socket: str
    program: str
    why: str


def choose(wanted: str, seen: Seen, node: str) -> Chosen:
    """Choose an engine. By C(auto) it is the kubelet's on a node of Kubernetes, else Docker, Podman, or what crictl can reach.

    :param wanted: C(auto) or an engine's name.
    :param node: the host's name, for the message.
    :raises DeliveryError: the engine, or the program to speak to it, is not there.
    """
    if wanted == AUTO:
        name, why = _by_itself(seen, node)
    else:
        name, why = wanted, "it was asked for"
    if name == PODMAN:
        return Chosen(name, "", _program("podman", name, seen, node), why)
    if name == DOCKER:
        if DOCKER_SOCKET not in seen.sockets:
            raise DeliveryError(
                "Docker is to pull on %s, and its socket %s is not there. Start it, or choose another 'engine'."
                % (node, DOCKER_SOCKET)
            )
        return Chosen(name, DOCKER_SOCKET, "", why)
    socket = CRI_SOCKETS[name]
    if seen.kubelet_socket and _engine_of(seen.kubelet_socket) == name:
        socket = seen.kubelet_socket
    elif socket not in seen.sockets:
        raise DeliveryError(
            "%s is to pull on %s, and its socket %s is not there. Start it, or choose another 'engine'."
            % (name, node, socket)
        )
    return Chosen(name, socket, _program("crictl", name, seen, node), why)


def _by_itself(seen: Seen, node: str) -> t.Tuple[str, str]:
    reachable = [name for name, socket in CRI_SOCKETS.items() if socket in seen.sockets]
    if seen.kubernetes:
        if seen.kubelet_socket:
            return _engine_of(seen.kubelet_socket), "%s and uses it" % seen.kubernetes
        if reachable:
            return reachable[0], "%s and its socket is there" % seen.kubernetes
        raise DeliveryError(
            "%s is a node of Kubernetes (%s), and there is no runtime's socket: neither %s. Start the runtime."
            % (node, seen.kubernetes, " nor ".join(CRI_SOCKETS.values()))
        )
    if DOCKER_SOCKET in seen.sockets:
        return DOCKER, "its socket is there"
    if "podman" in seen.programs:
        return PODMAN, "its program is there, and no Docker runs"
    if reachable and "crictl" in seen.programs:
        return reachable[0], "its socket is there, and neither Docker nor Podman"
    raise DeliveryError(
        "There is no container engine on %s: no kubelet, no %s, no podman, no crictl with a runtime. Install one, or take the "
        "host out of the group." % (node, DOCKER_SOCKET)
    )


def _engine_of(socket: str) -> str:
    """A CRI socket's engine, by its name: an unknown one is spoken to as containerd, since both speak the CRI."""
    return CRIO if "crio" in os.path.basename(socket) else CONTAINERD


def _program(program: str, engine: str, seen: Seen, node: str) -> str:
    if program not in seen.programs:
        raise DeliveryError(
            "%s is to pull on %s, and the program %s is not there. Install it (%s), or choose another 'engine'."
            % (engine, node, program, "package cri-tools" if program == "crictl" else "package podman")
        )
    return seen.programs[program]


def look(root: str = "/") -> Seen:
    """Look at this host. It starts no program.

    :param root: the directory that is taken for the file system's root, for files and sockets.
    """

    def exists(path: str) -> bool:
        return os.path.exists(os.path.join(root, path.lstrip("/")))

    directories = os.environ.get("PATH", "").split(os.pathsep) + [
        os.path.join(root, directory.lstrip("/")) for directory in _MORE_DIRECTORIES
    ]
    found = {name: shutil.which(name, path=os.pathsep.join(directories)) for name in ("crictl", "podman")}
    command = _kubelet_command(root)
    flags = _read(root, KUBEADM_FLAGS)
    configured = _CONFIG_OPTION.search(command)
    config = _read(root, configured.group(1) if configured else KUBELET_CONFIG)
    # A flag wins over the file, as it does for the kubelet.
    endpoint = _ENDPOINT_OPTION.search(command) or _ENDPOINT_OPTION.search(flags) or _ENDPOINT_KEY.search(config)
    return Seen(
        kubernetes="its kubelet runs" if command else "it has a kubelet's configuration" if config else "",
        kubelet_socket=_path(endpoint.group(1)) if endpoint else "",
        sockets=frozenset(path for path in (*CRI_SOCKETS.values(), DOCKER_SOCKET) if exists(path)),
        programs={name: path for name, path in found.items() if path},
    )


def _path(endpoint: str) -> str:
    """'/run/x.sock' of 'unix:///run/x.sock'; a path alone is allowed too."""
    return endpoint[len("unix://") :] if endpoint.startswith("unix://") else endpoint


def _kubelet_command(root: str) -> str:
    """The running kubelet's command line; empty if none runs."""
    proc = os.path.join(root, "proc")
    for entry in os.listdir(proc) if os.path.isdir(proc) else ():
        if not entry.isdigit():
            continue
        arguments = _read(proc, os.path.join(entry, "cmdline")).split("\0")
        if os.path.basename(arguments[0]) == "kubelet" and _is_of_this_host(proc, entry):
            return " ".join(shlex.quote(argument) if " " in argument else argument for argument in arguments)
    return ""


def _is_of_this_host(proc: str, entry: str) -> bool:
    """Whether a process is not one of a container's, which a host sees too: nodes of kind and the like run kubelets there."""
    try:
        return os.readlink(os.path.join(proc, entry, "ns/pid")) == os.readlink(os.path.join(proc, "self/ns/pid"))
    except OSError:
        return True


def _read(root: str, path: str) -> str:
    """A file's text; empty if it is not there, or is gone by now."""
    try:
        with open(os.path.join(root, path.lstrip("/")), encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
