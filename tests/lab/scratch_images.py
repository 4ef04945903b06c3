# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images FROM scratch around one static program each, as archives that every runtime can import without a registry."""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .builds import ARCHITECTURES

if TYPE_CHECKING:
    from pathlib import Path

PAUSE = "longshore.lab/pause:1"
COREDNS = "longshore.lab/coredns:1"
BUSYBOX = "longshore.lab/busybox:1"

# What busybox is called by inside its image.
APPLETS = ("cat", "echo", "env", "httpd", "ls", "mkdir", "nc", "nslookup", "sh", "sleep", "wget")


@dataclass(frozen=True)
class ScratchImage:
    """One program at /<name>, the entry point, under a reference; links are names beside it."""

    reference: str
    program: str
    links: tuple[str, ...] = ()
    user: str = ""

    @property
    def file_name(self) -> str:
        return f"{self.program}.tar"


IMAGES = (
    ScratchImage(PAUSE, "pause", user="65535:65535"),
    ScratchImage(COREDNS, "coredns"),
    ScratchImage(BUSYBOX, "busybox", tuple(f"bin/{applet}" for applet in APPLETS)),
)


def archive(image: ScratchImage, program: Path, target: Path) -> None:
    """Write the docker-archive of an image to target, in one rename; the same program gives the same bytes."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        for directory in ("bin", "tmp", "etc"):
            _add(tar, directory, type=tarfile.DIRTYPE, mode=0o1777 if directory == "tmp" else 0o755)
        _add(tar, image.program, program.read_bytes(), mode=0o755)
        for link in image.links:
            _add(tar, link, type=tarfile.SYMTYPE, linkname=f"/{image.program}", mode=0o777)
    diff_id = hashlib.sha256(layer.getvalue()).hexdigest()
    configuration = {
        "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": {"Entrypoint": [f"/{image.program}"], "Env": ["PATH=/bin"], "User": image.user},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{diff_id}"]},
        "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "longshore lab"}],
    }
    config = json.dumps(configuration, sort_keys=True).encode()
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = [{"Config": config_name, "RepoTags": [image.reference], "Layers": [f"{diff_id}/layer.tar"]}]
    partial = target.with_name(f".{target.name}.partial")
    with tarfile.open(partial, mode="w") as tar:
        _add(tar, config_name, config)
        _add(tar, f"{diff_id}/layer.tar", layer.getvalue())
        _add(tar, "manifest.json", json.dumps(manifest).encode())
    os.replace(partial, target)


def _add(tar: tarfile.TarFile, name: str, content: bytes = b"", **attributes: object) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    for attribute, value in {"mode": 0o644, **attributes}.items():
        setattr(member, attribute, value)
    tar.addfile(member, io.BytesIO(content))
