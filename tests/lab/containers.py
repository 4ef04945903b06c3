# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node is a container that boots systemd. What it is made of is planned here and named by a digest."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .node_files import PROGRAMS_MOUNT, NodeFile
from .nodes import CP, LABEL, NETWORK, Node

if TYPE_CHECKING:
    from collections.abc import Mapping

WANTED_LABEL = "longshore.lab.wanted"
CGROUPS = "/sys/fs/cgroup"
ARCHIVES_MOUNT = f"{PROGRAMS_MOUNT}/images"

# All but SYS_RESOURCE, which a container on a confined host cannot have (`--privileged` fails there for that reason), and
# but BPF, PERFMON and CHECKPOINT_RESTORE, which Docker 20.10 does not know by name.
CAPABILITIES = (
    *("AUDIT_CONTROL", "AUDIT_READ", "AUDIT_WRITE", "BLOCK_SUSPEND", "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH"),
    *("FOWNER", "FSETID", "IPC_LOCK", "IPC_OWNER", "KILL", "LEASE", "LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE"),
    *("MKNOD", "NET_ADMIN", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID"),
    *("SYSLOG", "SYS_ADMIN", "SYS_BOOT", "SYS_CHROOT", "SYS_MODULE", "SYS_NICE", "SYS_PACCT", "SYS_PTRACE"),
    *("SYS_RAWIO", "SYS_TIME", "SYS_TTY_CONFIG", "WAKE_ALARM"),
)

# Directories that cannot be on an overlay file system because they hold one.
VOLUMES = {
    "containerd-debian": ("/var/lib/containerd", "/var/lib/kubelet"),
    "containerd-module": ("/var/lib/containerd", "/var/lib/kubelet"),
    "crio": ("/var/lib/containers", "/var/lib/kubelet"),
    "dock": ("/var/lib/docker", "/var/lib/containerd", "/var/lib/containers"),
}


@dataclass(frozen=True)
class Host:
    """What a node's container depends on of its host."""

    modules: bool  # /lib/modules exists
    controllers: tuple[str, ...]  # mounted below /sys/fs/cgroup with cgroup v1; none with v2

    @classmethod
    def here(cls) -> Host:
        points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()]
        below = (point[len(CGROUPS) + 1 :] for point in points if point.startswith(f"{CGROUPS}/"))
        legacy = not Path(CGROUPS, "cgroup.controllers").exists()
        return cls(Path("/lib/modules").is_dir(), tuple(sorted(set(below))) if legacy else ())


@dataclass(frozen=True)
class Container:
    """The wanted container of a node: image, flags of `docker create`, files put into it before it boots."""

    node: Node
    image: str
    flags: tuple[str, ...]
    files: tuple[NodeFile, ...]

    @property
    def wanted(self) -> str:
        """Digest of everything that the container is made of: another digest, another container."""
        files = [[file.path, file.content, file.mode, file.link] for file in self.files]
        text = json.dumps([self.image, self.flags, files])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def flags(node: Node, host: Host, programs: Mapping[str, Path], archives: Path) -> tuple[str, ...]:
    """Flags of `docker create` for a node; `programs` maps a program's name to its directory on the host.

    The control groups are the host's tree in both cgroup versions: systemd finds its own place in it, and the node's
    engines put theirs below that place, so they end with the container. With cgroup v1 the mount points are in a
    read-only tmpfs of the node's own, lest its systemd mount further controllers on the host and make the host's tmpfs
    read-only. Seen on cgroup v1 only.
    """
    cgroups = [f"--volume={CGROUPS}/{name}:{CGROUPS}/{name}:rw" for name in host.controllers]
    if cgroups:
        cgroups = ["--tmpfs", f"{CGROUPS}:ro,mode=755", *cgroups]
    values = [
        *("--name", node.container, "--hostname", node.name, "--label", LABEL),
        *("--network", NETWORK, "--ip", node.address, "--network-alias", node.name),
        *(f"--cap-add={capability}" for capability in CAPABILITIES),
        *(f"--security-opt={option}=unconfined" for option in ("seccomp", "apparmor", "systempaths")),
        *("--device-cgroup-rule", "a *:* rwm", "--device", "/dev/kmsg"),
        *("--tmpfs", "/run", "--tmpfs", "/tmp:exec"),
        "--cgroupns=host",
        *(cgroups or [f"--volume={CGROUPS}:{CGROUPS}:rw"]),
        *(f"--volume={path}" for path in VOLUMES[node.image]),
        *(["--volume=/var/lib/etcd"] if node == CP else []),
        *(["--volume=/lib/modules:/lib/modules:ro"] if host.modules else []),
        *("--env", "container=docker", "--stop-signal", "SIGRTMIN+3", "--stop-timeout", "20"),
        *("--log-opt", "max-size=1m"),
    ]
    for name in node.programs:
        values.append(f"--volume={programs[name]}:{PROGRAMS_MOUNT}/{name}:ro")
    if node.in_cluster:
        values.append(f"--volume={archives}:{ARCHIVES_MOUNT}:ro")
    return tuple(values)
