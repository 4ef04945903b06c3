# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs on a node: print by what digests each container engine there names its images, in the engines' own words.

Python 3.9 and its standard library. One JSON object: C(held), the names with digest, and C(silent), what an engine said that did
not tell.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

CRI_SOCKETS = ("/run/containerd/containerd.sock", "/run/crio/crio.sock")
TIMEOUT_SECONDS = 30


def commands() -> list[list[str]]:
    """How to ask each engine that has its client here."""
    found = []
    if shutil.which("crictl"):
        for socket in filter(os.path.exists, CRI_SOCKETS):
            endpoint = "unix://" + socket
            asked = ["--runtime-endpoint", endpoint, "--image-endpoint", endpoint, "--timeout", "%ds" % TIMEOUT_SECONDS]
            found.append(["crictl", *asked, "images", "-o", "json"])
    if shutil.which("docker"):
        found.append(["docker", "images", "--digests", "--format", "{{.Repository}}@{{.Digest}}"])
    if shutil.which("podman"):
        found.append(["podman", "images", "--format", "json"])
    return found


def names(program: str, said: str) -> list[str]:
    if program == "docker":
        return [line for line in said.split() if not line.endswith("@<none>")]
    if program == "podman":
        return [name for image in json.loads(said) for name in image.get("RepoDigests") or ()]
    return [name for image in json.loads(said).get("images") or () for name in image.get("repoDigests") or ()]


def main() -> None:
    held: set[str] = set()
    silent = []
    for command in commands():
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT_SECONDS * 2)
            if done.returncode:
                raise OSError(done.stderr.strip() or "status %d" % done.returncode)
            held.update(names(command[0], done.stdout))
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            silent.append("%s: %s" % (command[0], error))
    json.dump({"held": sorted(held), "silent": silent}, sys.stdout)


main()
