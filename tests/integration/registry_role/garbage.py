# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What collects garbage on the registry's host, and garbage for it: started, watched and killed there."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import threading
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.digest import BlobDigest, ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient, RegistryError
from tests.integration.asking import eventually

from .host import HOST
from .lab import BACKEND, DATA, client, on_host
from .traffic import OCI, push

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
NAME = "longshore-registry-garbage"
SERVICE, TIMER, SETTLING = f"{NAME}.service", f"{NAME}.timer", f"{NAME}-settle.service"
PROGRAM = f"/usr/local/sbin/{NAME}"
NOTES = f"/var/lib/{NAME}"
ENDED = ("dead", "failed")
OWN = [PROGRAM, *(f"/etc/systemd/system/{unit}" for unit in (SERVICE, SETTLING, TIMER))]


def left() -> str:
    """What of a collection the host has."""
    places = ["/usr/local/sbin", "/etc/systemd/system", "/var/lib", "/var/lib/systemd/timers"]
    there = on_host("find", *places, "-maxdepth", "2", "-name", f"*{NAME}*")
    return there + on_host("systemctl", "list-units", "--all", "--plain", "--no-legend", f"{NAME}*")


@contextlib.contextmanager
def drop_in(unit: str, *lines: str) -> t.Iterator[None]:
    """A unit has this as well while the body runs."""
    on_host("mkdir", "--parents", f"/run/systemd/system/{unit}.d")
    on_host("tee", f"/run/systemd/system/{unit}.d/test.conf", stdin="\n".join(lines) + "\n")
    on_host("systemctl", "daemon-reload")
    try:
        yield
    finally:
        on_host("rm", "-r", f"/run/systemd/system/{unit}.d")
        on_host("systemctl", "daemon-reload")


def collect() -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["docker", "exec", HOST.container, "systemctl", "start", SERVICE], capture_output=True, text=True, check=False
    )


def result() -> dict[str, t.Any]:
    """What the collection notes that is under way, once it has ended."""
    eventually(lambda: on_host("systemctl", "show", "--property", "SubState", "--value", SERVICE).strip() in ENDED, 60)
    found: dict[str, t.Any] = json.loads(on_host("cat", f"{NOTES}/result.json"))
    return found


def asides() -> str:
    return on_host("find", DATA, "-name", "*.longshore-garbage")


class Images(t.NamedTuple):
    """An index with a tag whose children have none, an image without a tag, and a layer of no image."""

    digest: ManifestDigest
    children: list[ManifestDigest]
    untagged: ManifestDigest
    layer: BlobDigest
    layer_bytes: bytes

    def assert_whole(self, pulling: RegistryClient, repository: str) -> None:
        assert pulling.get_manifest(repository, "1").digest == self.digest
        for child in self.children:
            for layer in pulling.get_manifest(repository, child).layers:
                assert layer.matches(pulling.get_blob(repository, layer))

    def assert_collected(self, pulling: RegistryClient, repository: str) -> None:
        assert pulling.head_manifest(repository, self.untagged) is None
        with pytest.raises(RegistryError) as refused:
            pulling.get_blob(repository, self.layer)
        assert refused.value.kind == "not_found"


def fill(pushing: RegistryClient, repository: str) -> Images:
    children = [push(pushing, repository, os.urandom(100_000), f"child-{number}") for number in range(2)]
    entries = [
        {"mediaType": OCI, "digest": str(child), "size": len(pushing.get_manifest(repository, child).body)}
        for child in children
    ]
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
    digest = pushing.put_manifest(repository, "1", OCI_INDEX, json.dumps(index).encode())
    untagged = push(pushing, repository, os.urandom(100_000), "child-0")
    for number in range(2):
        push(pushing, repository, b"another", f"child-{number}")
    layer_bytes = os.urandom(300_000)
    layer = BlobDigest.parse(str(pushing.push_blob(repository, layer_bytes)))
    return Images(digest, children, untagged, layer, layer_bytes)


class Pulls:
    """A context: a client that pulls every 100 ms, each time by a new connection."""

    def __init__(self, ca: str, repository: str, images: Images) -> None:
        self.count, self.failures = 0, list[str]()
        self._ca, self._repository, self._images = ca, repository, images
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go_on)

    def _go_on(self) -> None:
        while not self._stop.wait(0.1):
            try:
                with client(self._ca) as pulling:
                    self._images.assert_whole(pulling, self._repository)
                self.count += 1
            except Exception as error:
                self.failures.append(str(error))

    def __enter__(self) -> Pulls:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()


def refused(ca: str, repository: str) -> bool:
    """Whether a push is refused, as it has to be while garbage is collected."""
    with client(ca) as pushing:
        try:
            pushing.push_blob(repository, os.urandom(1000))
        except RegistryError as error:
            if error.status != 503 or "writes are taken again in a moment" not in str(error):
                raise
            return True
    return False


def serves(ca: str) -> bool:
    with contextlib.suppress(RegistryError), client(ca) as asking:
        asking.ping()
        return True
    return False


@contextlib.contextmanager
def stopped(ca: str) -> t.Iterator[None]:
    """The registry behind nginx does not run while the body does."""
    on_host("systemctl", "stop", BACKEND)
    try:
        yield
    finally:
        on_host("systemctl", "start", BACKEND)
        eventually(lambda: serves(ca), 20)


# loads the program that the role has put there, and has it killed at the step that a file names
KILLING = f"""
import os, runpy, signal, sys
with open("/run/killing.step") as stream:
    step, turn = stream.read().split()
sys.argv[:1] = []
program = runpy.run_path("{PROGRAM}", run_name="program")
from ansible_collections.longshore.delivery.plugins.module_utils.registry import garbage_collection, garbage_program
where = garbage_program if step == "_say" else garbage_collection
real, left = getattr(where, step), [int(turn)]
def killing(*given):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*given)
setattr(where, step, killing)
sys.exit(garbage_program.main())
"""


@contextlib.contextmanager
def killing(settles: bool) -> t.Iterator[t.Callable[[str, int], None]]:
    """Yields what collects, and kills that at a step; without C(settles) nothing is cleaned up then, as at a loss of power."""
    (start,) = re.findall("^ExecStart=(.*)", on_host("systemctl", "cat", SERVICE), re.MULTILINE)
    on_host("tee", "/run/killing.py", stdin=KILLING)
    lines = ["[Service]", "ExecStart=", f"ExecStart=/usr/bin/python3 /run/killing.py {start}"]
    lines += [] if settles else ["ExecStopPost="]

    def kill_at(step: str, turn: int) -> None:
        on_host("tee", "/run/killing.step", stdin=f"{step} {turn}")
        assert collect().returncode
        assert "signal" in on_host("systemctl", "show", "--property", "Result", SERVICE), (step, turn)
        on_host("systemctl", "reset-failed", SERVICE)

    with drop_in(SERVICE, *lines):
        yield kill_at
    on_host("rm", "/run/killing.py", "/run/killing.step")
