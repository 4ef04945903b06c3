# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Debian packages of the lab: suites, mirror, and which packages come from which suite."""

from __future__ import annotations

import os
from dataclasses import dataclass

BASE_SUITE = "bookworm"  # systemd 252: newer ones refuse cgroup v1
ENGINE_SUITE = "trixie"  # its engines need only bookworm's libc


@dataclass(frozen=True)
class Need:
    """What brings a program to a Debian host. Where one of `files` is missing the program is of no use."""

    packages: tuple[str, ...]
    files: tuple[str, ...] = ()


# By program: what `make lab` installs on a Debian or Ubuntu host where it is missing and will be used.
HOST_NEEDS = {
    "dockerd": Need(("docker.io", "iptables")),
    "docker": Need(("docker-cli",)),  # a package of its own from trixie on, before in docker.io
    "ip": Need(("iproute2",)),  # takes out what an engine leaves in the kernel
    "ssh": Need(("openssh-client",)),
    "debootstrap": Need(("debootstrap", "debian-archive-keyring")),
    "update-ca-certificates": Need(("ca-certificates",), ("/etc/ssl/certs/ca-certificates.crt",)),  # for Go's downloads
    "gcc": Need(("gcc", "libc6-dev"), ("/usr/include/stdlib.h",)),
    "pkg-config": Need(("pkg-config",)),
}

BASE_PACKAGES = (
    "busybox-static",
    "ca-certificates",
    "conntrack",
    "curl",
    "dbus",
    "dnsmasq-base",
    "iproute2",
    "iptables",
    "iputils-ping",
    "kmod",
    "openssh-server",
    "procps",
    "python3",
    "python3-apt",
    "systemd",
    "systemd-sysv",
    "tar",
    "xz-utils",
)

# By kind of node image. "name/suite" pins a package to a suite; the others come from the base suite.
NODE_PACKAGES = {
    "containerd-debian": (f"containerd/{ENGINE_SUITE}", f"runc/{BASE_SUITE}", "containernetworking-plugins"),
    "containerd-module": (f"runc/{BASE_SUITE}", "containernetworking-plugins"),
    "crio": (
        f"runc/{BASE_SUITE}",
        "conmon",
        "containernetworking-plugins",
        "golang-github-containers-common",
        "golang-github-containers-image",
        "skopeo",
    ),
    "dock": (
        f"containerd/{ENGINE_SUITE}",
        f"docker.io/{ENGINE_SUITE}",
        f"docker-cli/{ENGINE_SUITE}",
        f"docker-buildx/{ENGINE_SUITE}",
        f"runc/{BASE_SUITE}",
        "podman",
        "buildah",
        "skopeo",
    ),
}


def mirror() -> str:
    """Debian's mirror; LONGSHORE_DEBIAN_MIRROR names another (its parent directory also has debian-security)."""
    return os.environ.get("LONGSHORE_DEBIAN_MIRROR", "http://deb.debian.org/debian").rstrip("/")


def sources_list() -> str:
    """Content of a node's sources.list: both suites with their updates and security."""
    security = f"{mirror().rsplit('/', 1)[0]}/debian-security"
    lines = []
    for suite in (BASE_SUITE, ENGINE_SUITE):
        lines += [
            f"deb {mirror()} {suite} main",
            f"deb {mirror()} {suite}-updates main",
            f"deb {security} {suite}-security main",
        ]
    return "\n".join(lines) + "\n"


PREFERENCES = f"""\
Explanation: a package comes from {ENGINE_SUITE} only when asked for by name
Package: *
Pin: release n={ENGINE_SUITE}*
Pin-Priority: 100
"""
