# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""image_audit of an image of 500 MB against the gzip command, which only decompresses the same layers.

The image is made of files that this machine has below /usr, in an OCI layout, compressed as registries have it.
Each audit is a process of its own, whose most memory is told.
"""

from __future__ import annotations

import gzip
import hashlib
import itertools
import json
import statistics
import subprocess
import sys
import tarfile
import time
import typing as t
from pathlib import Path

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.longshore.delivery.plugins.module_utils.audit.image_audit import CAPABILITY
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Context
from ansible_collections.longshore.delivery.plugins.module_utils.registry.manifest import OCI_MANIFEST
from ansible_collections.longshore.delivery.plugins.module_utils.running import run_command
from tests.unit.module_utils.image.making import OCI_CONFIG, OCI_LAYER, Made, layout

from .pairs import Limit, Row, held_to, paired

LAYERS = (150_000_000, 200_000_000, 100_000_000, 50_000_000)  # bytes of files
RATE, MEMORY = "MB of files a second", "MiB of memory at most"
PROGRAM = "from tests.benchmark.audits import main; main()"


def files() -> t.Iterator[Path]:
    """Files of this machine, of all kinds that are below /usr and of the sizes that they have there, without end."""
    found = sorted(path for path in Path("/usr").rglob("*") if path.is_file() and not path.is_symlink())
    sizes = [path for path in found if path.stat().st_size < LAYERS[-1] // 2]
    return itertools.chain.from_iterable(itertools.repeat([*sizes[::11], *sizes[5::7]]))


def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """With a time in whole seconds, as builders write it: a fraction takes a header of its own."""
    member.mtime = int(member.mtime)
    return member


def make_image(directory: Path) -> Path:
    """The layout's directory."""
    taken = enumerate(files())
    blobs: dict[str, bytes] = {}
    diff_ids, layers = [], []
    for size in LAYERS:
        path = directory / "layer"
        with tarfile.open(path, "w") as tar:
            left = size
            while left > 0:
                number, file = next(taken)
                left -= file.stat().st_size
                tar.add(file, f"srv/{number % 97}/{file.name}.{number}{file.suffix}", filter=plain)
        diff_ids.append("sha256:" + hashlib.sha256(path.read_bytes()).hexdigest())
        stored = gzip.compress(path.read_bytes(), 6)
        path.unlink()
        digest = "sha256:" + hashlib.sha256(stored).hexdigest()
        blobs[digest] = stored
        layers.append({"mediaType": OCI_LAYER, "digest": digest, "size": len(stored)})
    config = json.dumps(
        {"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": diff_ids}}
    ).encode()
    config_digest = "sha256:" + hashlib.sha256(config).hexdigest()
    blobs[config_digest] = config
    described = {"mediaType": OCI_CONFIG, "digest": config_digest, "size": len(config)}
    manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": described, "layers": layers}
    made = Made(json.dumps(manifest).encode(), OCI_MANIFEST, blobs)
    return layout(directory / "layout", made.descriptor(), made=[made])


class Audit:
    """Audits of one layout.

    :ivar told: of each its seconds, the bytes of the image's files, and the most memory of the process in MiB.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.told: list[dict[str, float]] = []

    def run(self) -> float:
        argv = [sys.executable, "-c", PROGRAM, str(self._path)]
        self.told.append(json.loads(subprocess.run(argv, capture_output=True, text=True, check=True).stdout))
        return self.told[-1]["seconds"]

    def decompressed(self) -> float:
        """How long gzip takes for all layers."""
        blobs = sorted((self._path / "blobs" / "sha256").iterdir(), key=lambda path: path.stat().st_size)
        began = time.monotonic()
        command: list[str | Path] = ["gzip", "-dc", "--", *blobs[-len(LAYERS) :]]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        return time.monotonic() - began


def rows(directory: Path, runs: int) -> t.Iterator[tuple[str, Row]]:
    audit = Audit(make_image(directory))
    seconds = paired(audit.run, audit.decompressed, runs)
    figures = {
        RATE: [told["bytes"] / 1e6 / told["seconds"] for told in audit.told[1:]],
        MEMORY: [told["memory"] for told in audit.told],
    }
    row = {**seconds, RATE: round(statistics.median(figures[RATE])), MEMORY: max(figures[MEMORY])}
    limits = (Limit(RATE, 100, least=True), Limit(MEMORY, 300))
    yield "image_audit of 500 MB in gzipped layers / gzip -dc of them", held_to(row, figures, *limits)


def main() -> None:
    """Audit a layout, whose path is the first argument, and print what C(Audit) keeps of it."""
    given = {"store": "layout", "layout": sys.argv[1], "fail_on": "never"}
    params = ArgumentSpecValidator(CAPABILITY.argument_spec).validate(given).validated_parameters
    context = Context(
        check=False, diff=False, warn=lambda _line: None, progress=lambda _line: None, run_command=run_command
    )
    began = time.monotonic()
    [image] = CAPABILITY.run(params, context)["images"]
    seconds = time.monotonic() - began
    # what getrusage tells may be of the process that started this one
    [line] = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    memory = int(line.split()[1]) // 1024  # KiB
    print(json.dumps({"seconds": seconds, "bytes": image["size"], "memory": memory}))
