# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A BuildKit on dock that is no engine's, and a builder of buildx for it.

It listens with TLS and asks for a client's certificate, as dock's engine does and with the same files. It is built when it is
first asked for, and kept in the lab's cache.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import typing as t
from pathlib import Path

import pytest

from tests.lab.builds import build
from tests.lab.nodes import DOCK
from tests.lab.places import Places

from .asking import eventually, on_node

_PLACES = Places.of_user()
_UNIT, _PORT = "longshore-test-buildkit", 2390
_PKI = "/etc/longshore-lab/docker"
_ROOT = f"/var/lib/containerd/{_UNIT}"  # on a volume: an overlay cannot be on another one
_START = f"""
set -e
. /run/own-cgroup
mkdir -p /run/{_UNIT} {_ROOT}
printf '[worker.oci]\\ncgroupParent = "%s/{_UNIT}"\\n' "$NODE_CGROUP" > /run/{_UNIT}/buildkitd.toml
exec {_ROOT}/program --config /run/{_UNIT}/buildkitd.toml --root {_ROOT}/state --addr tcp://0.0.0.0:{_PORT} \\
  --tlscacert {_PKI}/ca.pem --tlscert {_PKI}/cert.pem --tlskey {_PKI}/key.pem --oci-worker-net host --containerd-worker=false
"""
_STOP = f"""
systemctl stop {_UNIT} 2>/dev/null
systemctl reset-failed {_UNIT} 2>/dev/null
for mount in $(awk '{{print $5}}' /proc/self/mountinfo | grep -E '^{_ROOT}/' | sort -r); do umount "$mount"; done
rm -rf {_ROOT} /run/{_UNIT}
"""


@contextlib.contextmanager
def running(directory: Path) -> t.Iterator[str]:
    """Its name in buildx; all of it is gone at the end.

    :param directory: for what buildx notes of its builders, in place of the user's.
    """
    program = build(["buildkitd"], _PLACES.root, print)["buildkitd"] / "buildkitd"
    _stop()
    try:
        on_node("dock", "mkdir", "-p", _ROOT)
        copied = ["docker", "cp", str(program), f"{DOCK.container}:{_ROOT}/program"]
        subprocess.run(copied, capture_output=True, check=True, timeout=60)
        on_node("dock", "systemd-run", "--quiet", f"--unit={_UNIT}", "--property=Delegate=yes", "sh", "-c", _START)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DOCKER_CONFIG", str(_PLACES.docker_config))
            patch.setenv("BUILDX_CONFIG", str(directory))
            files = {"cacert": "ca.pem", "cert": "cert.pem", "key": "key.pem"}
            options = ",".join(f"{name}={_PLACES.builder / file}" for name, file in files.items())
            create = ["create", "--name", _UNIT, "--driver", "remote", "--driver-opt", options]
            _buildx(*create, f"tcp://{DOCK.address}:{_PORT}")
            eventually(lambda: "running" in _buildx("inspect", _UNIT))
            yield _UNIT
    except AssertionError:
        log = subprocess.run(
            ["docker", "exec", DOCK.container, "journalctl", "--no-pager", "--lines=30", f"--unit={_UNIT}"],
            capture_output=True,
            text=True,
            check=False,
        )
        print(log.stdout)
        raise
    finally:
        _stop()


def forget() -> None:
    """Have it forget what it built."""
    _buildx("prune", "--builder", _UNIT, "--all", "--force")


@contextlib.contextmanager
def reaching(address: str, local: str) -> t.Iterator[None]:
    """Have dock reach an address under one of its own."""
    unit = f"{_UNIT}-{local.rpartition(':')[2]}"
    listen = (f"--unit={unit}", f"--socket-property=ListenStream={local}")
    on_node("dock", "systemd-run", "--quiet", *listen, "/lib/systemd/systemd-socket-proxyd", address)
    try:
        yield
    finally:
        on_node("dock", "systemctl", "stop", f"{unit}.socket", f"{unit}.service")


def _buildx(*arguments: str) -> str:
    done = subprocess.run(
        ["docker", "buildx", *arguments], capture_output=True, text=True, check=False, timeout=60, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _stop() -> None:
    command = ["docker", "exec", DOCK.container, "sh", "-c", _STOP]
    subprocess.run(command, capture_output=True, check=False, timeout=60)
