# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the nodes' images are made of. Nothing here touches an engine: an image's tag is the digest of its recipe."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import dataclass

from .debian import BASE_PACKAGES, BASE_SUITE, NODE_PACKAGES, PREFERENCES, mirror, sources_list

# Units that mean nothing in a container, or that the engine does itself.
MASKED_UNITS = (
    "console-getty.service",
    "getty.target",
    "systemd-logind.service",
    "systemd-networkd.service",
    "systemd-resolved.service",
    "systemd-timesyncd.service",
    "systemd-udevd.service",
    "systemd-udevd-control.socket",
    "systemd-udevd-kernel.socket",
    "systemd-udev-trigger.service",
    "systemd-modules-load.service",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "fstrim.timer",
)

BASE = f"""\
FROM {{parent}}
COPY sources.list /etc/apt/sources.list
COPY preferences /etc/apt/preferences.d/suites
RUN export DEBIAN_FRONTEND=noninteractive \\
 && apt-get -q update && apt-get -q -y dist-upgrade \\
 && apt-get -q -y install --no-install-recommends {" ".join(BASE_PACKAGES)} \\
 && apt-get clean && rm -rf /var/lib/apt/lists/* /etc/ssh/ssh_host_* \\
 && : > /etc/machine-id \\
 && systemctl mask {" ".join(MASKED_UNITS)} \\
 && systemctl set-default multi-user.target
STOPSIGNAL SIGRTMIN+3
CMD ["/sbin/init"]
"""

NODE = """\
FROM {parent}
RUN export DEBIAN_FRONTEND=noninteractive \\
 && apt-get -q update \\
 && apt-get -q -y install --no-install-recommends {packages} \\
 && apt-get clean && rm -rf /var/lib/apt/lists/*
"""


@dataclass(frozen=True)
class Image:
    """A node image: how it is built, on which other one. The root file system has no Dockerfile and no parent."""

    kind: str
    parent: Image | None
    dockerfile: str
    files: tuple[tuple[str, str], ...] = ()  # name and text beside the Dockerfile

    @property
    def key(self) -> str:
        recipe = [self.kind, self.parent.key if self.parent else "", self.dockerfile, platform.machine()]
        recipe += [text for file in self.files for text in file]
        return hashlib.sha256("\0".join(recipe).encode()).hexdigest()[:16]

    @property
    def tag(self) -> str:
        return f"longshore-lab/{self.kind}:{self.key}"

    @property
    def saved_name(self) -> str:
        """File name of the image when saved to the cache."""
        return f"{self.kind}-{self.key}.tar"


def root_image() -> Image:
    """The smallest Debian that apt-get runs in; made by debootstrap with these arguments."""
    return Image("root", None, f"debootstrap --variant=minbase {BASE_SUITE} {mirror()}")


def base_image() -> Image:
    """What all nodes share: systemd, sshd, Python and the network tools."""
    root = root_image()
    files = (("sources.list", sources_list()), ("preferences", PREFERENCES))
    return Image("base", root, BASE.format(parent=root.tag), files)


def node_image(kind: str) -> Image:
    """The image of one kind of node: the base and the Debian packages of its engines."""
    base = base_image()
    return Image(kind, base, NODE.format(parent=base.tag, packages=" ".join(NODE_PACKAGES[kind])))
