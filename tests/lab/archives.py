# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The archives that nodes import in place of a registry: pause, CoreDNS and busybox, kept in the cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from . import scratch_images
from .engine import docker
from .node_images import base_image, node_image
from .nodes import CP, LABEL
from .scratch_images import IMAGES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .places import Places

PROGRAMS = ("pause", "coredns")


def directory(places: Places, programs: Mapping[str, Path]) -> Path:
    """Where the archives of these very programs are, or will be; the directory exists only when it is complete."""
    parts = [*(str(programs[name]) for name in PROGRAMS if name in programs), base_image().key]
    parts.append(Path(scratch_images.__file__).read_text(encoding="utf-8"))
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
    return places.images / f"archives-{key}"


def have(places: Places, programs: Mapping[str, Path]) -> Path:
    """The archives, made if missing. busybox comes out of the base image, where Debian's package put it."""
    target = directory(places, programs)
    if target.is_dir():
        return target
    places.images.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".archives-", dir=places.images))
    try:
        busybox = partial / ".busybox"
        _extract_busybox(busybox, node_image(CP.image).tag)
        files = {"pause": programs["pause"] / "pause", "coredns": programs["coredns"] / "coredns", "busybox": busybox}
        for image in IMAGES:
            scratch_images.archive(image, files[image.program], partial / image.file_name)
        busybox.unlink()
        partial.chmod(0o755)
        os.replace(partial, target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


def _extract_busybox(target: Path, image: str) -> None:
    container = docker("create", "--label", LABEL, image).stdout.strip()
    try:
        docker("cp", f"{container}:/bin/busybox", str(target))
    finally:
        docker("rm", "--force", container)
