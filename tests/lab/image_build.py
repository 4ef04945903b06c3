# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Have the nodes' images in the engine: there already, else from the cache, else made with debootstrap and apt."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from .command import run, stream
from .debian import BASE_SUITE, mirror
from .engine import ENVIRONMENT, docker, inspect
from .errors import LabError
from .host_packages import install
from .nodes import LABEL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .node_images import Image
    from .places import Places
    from .progress import Progress

DEBOOTSTRAP_CACHE = "debootstrap-debs"


def have(images: Iterable[Image], places: Places, progress: Progress) -> None:
    """Each image in the engine. What was made or loaded for a former recipe stays where it is."""
    places.images.mkdir(parents=True, exist_ok=True)
    wanted = {image.tag: image for image in images}
    present = inspect("image", list(wanted))
    for tag, image in wanted.items():
        if tag not in present:
            _obtain(image, places, progress)


def save(images: Iterable[Image], places: Places, progress: Progress) -> None:
    """Each image as a tar in the cache too, so that an engine that lost it gets it back without a network."""
    for image in images:
        target = places.images / image.saved_name
        if target.exists():
            continue
        started = time.monotonic()
        partial = target.with_suffix(".partial")
        docker("image", "save", "--output", str(partial), image.tag)
        os.replace(partial, target)
        for former in places.images.glob(f"{image.kind}-*.tar"):
            if former != target:
                former.unlink()
        progress(f"image {image.kind}: saved to {target} in {time.monotonic() - started:.0f} s")


def _obtain(image: Image, places: Places, progress: Progress) -> None:
    started = time.monotonic()
    saved = places.images / image.saved_name
    if saved.is_file():
        progress(f"image {image.kind}: loading from the cache")
        docker("image", "load", "--quiet", "--input", str(saved))
    else:
        if image.parent is not None and image.parent.tag not in inspect("image", [image.parent.tag]):
            _obtain(image.parent, places, progress)
        if image.parent is None:
            _debootstrap(image, places, progress)
        else:
            _build(image, progress)
    progress(f"image {image.kind}: there after {time.monotonic() - started:.0f} s")


def _build(image: Image, progress: Progress) -> None:
    progress(f"image {image.kind}: installing Debian packages")
    steps = ("Get:", "Setting up ", "Step ")
    count = 0

    def follow(line: str) -> None:
        nonlocal count
        if line.startswith(steps[:2]):
            count += 1
            if count % 50 == 0:
                progress(f"image {image.kind}: {line[:100]}")

    with tempfile.TemporaryDirectory(prefix="longshore-lab-") as context:
        Path(context, "Dockerfile").write_text(image.dockerfile, encoding="utf-8")
        for name, text in image.files:
            Path(context, name).write_text(text, encoding="utf-8")
        argv = ["docker", "build", "--force-rm", "--label", LABEL, "--tag", image.tag, context]
        stream(argv, follow, environment=ENVIRONMENT)


def _debootstrap(image: Image, places: Places, progress: Progress) -> None:
    """Make the root file system in a mount namespace of its own: an interruption leaves no mount behind."""
    install(["debootstrap"], places, progress)
    if os.geteuid() != 0:
        raise LabError("debootstrap makes the nodes' root file system and needs root: run `make lab` as root.")
    progress(f"image {image.kind}: debootstrap {BASE_SUITE} from {mirror()}")
    for left in places.images.glob("rootfs-*"):  # of an interrupted run; the lab's lock says that none is under way
        shutil.rmtree(left)
    packages = places.images / DEBOOTSTRAP_CACHE
    packages.mkdir(exist_ok=True)
    keyring = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
    with tempfile.TemporaryDirectory(prefix="rootfs-", dir=places.images) as root:
        argv = ["unshare", "--mount", "debootstrap", "--variant=minbase", f"--cache-dir={packages}"]
        argv += [f"--keyring={keyring}"] if keyring.is_file() else []
        run([*argv, BASE_SUITE, root, mirror()])
        Path(root, "etc/machine-id").write_text("", encoding="ascii")
        _import(Path(root), image.tag)
    shutil.rmtree(packages)


def _import(root: Path, tag: str) -> None:
    tar = [
        "tar",
        "--create",
        "--numeric-owner",
        "--exclude=./var/cache/apt/archives/*.deb",
        "--directory",
        str(root),
        ".",
    ]
    with subprocess.Popen(tar, stdout=subprocess.PIPE) as archive:
        done = subprocess.run(
            ["docker", "import", "--change", f"LABEL {LABEL}", "-", tag],
            stdin=archive.stdout,
            capture_output=True,
            text=True,
            check=False,
        )
    if archive.returncode != 0 or done.returncode != 0:
        raise LabError(f"The root file system could not be imported as {tag}: {done.stderr.strip() or 'tar failed'}.")
