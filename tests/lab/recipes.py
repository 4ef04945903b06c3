# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the lab builds from source, and how: versions, packages, flags."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class StaticC:
    """A static C program whose sources travel in a Go module: every *.c of `directory` becomes `output`."""

    output: str
    module: str
    directory: str
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Program:
    """What is built, and how.

    `links` are further names of the first output. `tools` are commands that the build needs on this machine. `debian`
    are packages whose headers and libraries it needs: they are downloaded and unpacked beside the build, none is
    installed.
    """

    name: str
    outputs: tuple[str, ...]
    packages: tuple[str, ...] = (".",)
    ldflags: str = "-s -w"
    tags: tuple[str, ...] = ("osusergo", "netgo")
    links: tuple[str, ...] = ()
    cgo: bool = False
    tools: tuple[str, ...] = ()
    debian: tuple[str, ...] = ()
    static_c: tuple[StaticC, ...] = ()
    hint: str = field(default="", compare=False)  # how long a first build takes, for whoever waits


def _kubernetes_version(version: str) -> str:
    major, minor, _patch = version.split(".")
    values = {"gitVersion": f"v{version}", "gitMajor": major, "gitMinor": minor}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return " ".join(f"-X {package}.{name}={value}" for package in packages for name, value in values.items())


PROGRAMS: dict[str, Program] = {
    program.name: program
    for program in (
        Program(
            "kubernetes",
            outputs=("kubernetes",),
            links=(
                "etcd",
                "kube-apiserver",
                "kube-controller-manager",
                "kube-proxy",
                "kube-scheduler",
                "kubectl",
                "kubelet",
            ),
            ldflags="-s -w " + _kubernetes_version("1.36.3"),
            hint="about 7 min on 2 cores",
        ),
        Program("pause", outputs=("pause",), tags=(), hint="seconds"),
        Program(
            "crictl",
            outputs=("crictl",),
            packages=("sigs.k8s.io/cri-tools/cmd/crictl",),
            ldflags="-s -w -X sigs.k8s.io/cri-tools/pkg/version.Version=v1.36.0",
            hint="about 35 s on 2 cores",
        ),
        Program(
            "buildkitd",  # for tests of a builder elsewhere; built when the first of them runs
            outputs=("buildkitd",),
            packages=("github.com/moby/buildkit/cmd/buildkitd",),
            ldflags="-s -w -X github.com/moby/buildkit/version.Version=v0.13.2",
            hint="about 75 s on 2 cores",
        ),
        Program(
            "registry",  # distribution 3, which Debian 12 does not have; built when the first test that needs it runs
            outputs=("registry",),
            packages=("github.com/distribution/distribution/v3/cmd/registry",),
            ldflags="-s -w -X github.com/distribution/distribution/v3/version.version=v3.1.2",
            hint="about 3 min on 2 cores",
        ),
        Program("s3", outputs=("s3",), hint="seconds"),  # a storage for the registry; built when its tests run
        Program(
            "coredns",
            outputs=("coredns",),
            packages=("github.com/coredns/coredns",),
            hint="about 2 min on 2 cores",
        ),
        Program(
            "containerd",
            outputs=("containerd", "containerd-shim-runc-v2", "ctr"),
            packages=tuple(
                f"github.com/containerd/containerd/v2/cmd/{command}"
                for command in ("containerd", "containerd-shim-runc-v2", "ctr")
            ),
            ldflags="-s -w -X github.com/containerd/containerd/v2/version.Version=v2.2.9",
            tags=("osusergo", "netgo", "no_btrfs"),
            hint="about 1 min on 2 cores",
        ),
        Program(
            "crio",
            outputs=("crio", "pinns"),
            packages=("github.com/cri-o/cri-o/cmd/crio",),
            ldflags='-s -w -linkmode external -extldflags "-static -lm"',
            tags=(
                "osusergo",
                "netgo",
                "static_build",
                "containers_image_openpgp",
                "containers_image_ostree_stub",
                "exclude_graphdriver_btrfs",
                "exclude_graphdriver_devicemapper",
                "seccomp",
                "sqlite_omit_load_extension",
            ),
            cgo=True,
            tools=("gcc", "pkg-config", "apt-get", "dpkg-deb"),
            debian=("libseccomp-dev",),
            static_c=(
                StaticC(
                    "pinns",
                    module="github.com/cri-o/cri-o",
                    directory="pinns/src",
                    flags=("-std=c99", "-O3", "-Wall", "-Wextra", "-static", "-s"),
                ),
            ),
            hint="about 2 min on 2 cores",
        ),
        Program(
            "podman",  # one with quadlets, which Debian 12 does not have; built when the first test that needs it runs
            outputs=("podman", "quadlet"),
            packages=tuple(f"github.com/containers/podman/v4/cmd/{command}" for command in ("podman", "quadlet")),
            ldflags='-s -w -linkmode external -extldflags "-static -lm"',
            tags=(
                "osusergo",
                "netgo",
                "static_build",
                "containers_image_openpgp",
                "exclude_graphdriver_btrfs",
                "exclude_graphdriver_devicemapper",
                "seccomp",
                "sqlite_omit_load_extension",
            ),
            cgo=True,
            tools=("gcc", "pkg-config", "apt-get", "dpkg-deb"),
            debian=("libseccomp-dev",),
            hint="about 9 min on 2 busy cores",
        ),
    )
}
