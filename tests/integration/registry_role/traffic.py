# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clients of the registry that go on while something is done to it."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import socket
import ssl
import threading
import time
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings

from .lab import ADDRESS, LOGIN, PORT, client, strict_context

OCI = "application/vnd.oci.image.manifest.v1+json"


def push(pushing: RegistryClient, repository: str, layer: bytes, tag: str) -> ManifestDigest:
    """Push an image of one layer; returns its digest."""
    config, blob = pushing.push_blob(repository, b"{}"), pushing.push_blob(repository, layer)
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": str(config), "size": 2},
        "layers": [
            {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": str(blob), "size": len(layer)},
        ],
    }
    return pushing.put_manifest(repository, tag, OCI, json.dumps(manifest).encode())


class Traffic:
    """A context: pulls and pushes over and over, each on a TLS connection of its own, by two clients at once."""

    def __init__(self, ca: str, repository: str, digest: ManifestDigest) -> None:
        self.pulls = self.pushes = 0
        self.failures: list[str] = []
        self._ca, self._repository, self._digest = ca, repository, digest
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._go_on, args=(what,)) for what in (self._pull, self._push)]

    def _go_on(self, what: t.Callable[[RegistryClient], None]) -> None:
        while not self._stop.is_set():
            try:
                with client(self._ca) as asking:
                    what(asking)
            except Exception as error:
                self.failures.append(f"{what.__name__}: {error}")
            self._stop.wait(0.3)  # each of them costs the registry a bcrypt

    def _pull(self, pulling: RegistryClient) -> None:
        manifest = pulling.get_manifest(self._repository, self._digest)
        assert manifest.document["layers"][0]["size"] == 200_000
        assert pulling.head_manifest(self._repository, "1") is not None
        self.pulls += 1

    def _push(self, pushing: RegistryClient) -> None:
        tag = f"traffic-{threading.get_ident()}"
        digest = push(pushing, self._repository, os.urandom(20_000), tag)
        assert pushing.delete_manifest(self._repository, digest)
        self.pushes += 1

    @property
    def _ended(self) -> int:
        return self.pulls + self.pushes + len(self.failures)

    def __enter__(self) -> Traffic:
        for thread in self._threads:
            thread.start()
        self.wait_for(10)
        return self

    def wait_for(self, more: int) -> None:
        """Go on when that many further pulls and pushes have ended, well or not."""
        end, limit = self._ended + more, time.monotonic() + 60
        while self._ended < end:
            assert time.monotonic() < limit
            self._stop.wait(0.01)

    def __exit__(self, *exception: object) -> None:
        with contextlib.suppress(AssertionError):
            self.wait_for(10)
        self._stop.set()
        for thread in self._threads:
            thread.join()


class Pulls:
    """A context: a client that pulls over and over, with a pause of 100 ms at most.

    :param pull: pulls once, by a connection of its own, and returns or raises what failed.
    """

    def __init__(self, pull: t.Callable[[], str | None]) -> None:
        self.count = 0
        self.failures: list[str] = []
        self._pull = pull
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go_on)

    def _go_on(self) -> None:
        while not self._stop.wait(0.1):
            try:
                failure = self._pull()
            except Exception as error:
                failure = f"{type(error).__name__}: {error}"
            self.count += 1
            if failure:
                self.failures.append(f"{time.strftime('%X')} {failure}")

    def __enter__(self) -> Pulls:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()


def pull_strictly(ca: str, repository: str, digest: ManifestDigest) -> None:
    """Pull a manifest as the strictest client does, by a new connection."""
    settings = RegistrySettings.from_params({"endpoint": f"{ADDRESS}:{PORT}", **LOGIN})
    connection = http.client.HTTPSConnection(ADDRESS, PORT, timeout=10, context=strict_context(ca))
    with contextlib.closing(connection):
        path = f"/v2/{repository}/manifests/{digest}"
        connection.request("GET", path, headers={"Authorization": settings.basic_authorization or "", "Accept": OCI})
        answer = connection.getresponse()
        assert answer.status == 200, answer.status
        assert digest == ManifestDigest.of(answer.read())


class Halfway:
    """A client that has an upload and a download under way and stops in the middle of both."""

    def __init__(self, ca: str, repository: str) -> None:
        self._ca = ca
        self._repository = repository
        self._data = os.urandom(20_000_000)
        self._digest = "sha256:" + hashlib.sha256(self._data).hexdigest()
        settings = RegistrySettings.from_params({"endpoint": f"{ADDRESS}:{PORT}", **LOGIN})
        self._headers = {"Authorization": settings.basic_authorization or ""}

    def _connect(self) -> http.client.HTTPSConnection:
        connection = http.client.HTTPSConnection(ADDRESS, PORT, context=ssl.create_default_context(cadata=self._ca))
        connection.timeout = 60
        connection.connect()
        assert connection.sock
        # what is not read stays with the server, not in this machine's buffers
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        return connection

    def send_half(self) -> None:
        """Begin to push a blob."""
        self._up = self._connect()
        self._up.request("POST", f"/v2/{self._repository}/blobs/uploads/", headers=self._headers)
        begun = self._up.getresponse()
        begun.read()
        assert begun.status == 202
        place = begun.headers["Location"].removeprefix(f"https://{ADDRESS}:{PORT}")
        self._up.putrequest("PUT", f"{place}&digest={self._digest}")
        for name, value in {**self._headers, "Content-Length": str(len(self._data))}.items():
            self._up.putheader(name, value)
        self._sent = len(self._data) // 2
        self._up.endheaders(self._data[: self._sent])

    def send_some(self) -> None:
        """Go on by little: what sends nothing for five minutes is given up by nginx."""
        self._up.send(self._data[self._sent : self._sent + 1000])
        self._sent += 1000

    def send_rest(self) -> None:
        self._up.send(self._data[self._sent :])
        done = self._up.getresponse()
        assert (done.status, done.read()) == (201, b"")
        self._up.close()

    def receive_half(self) -> None:
        """Begin to pull that blob."""
        self._down = self._connect()
        self._down.request("GET", f"/v2/{self._repository}/blobs/{self._digest}", headers=self._headers)
        self._answer = self._down.getresponse()
        assert self._answer.status == 200
        self._received = self._answer.read(len(self._data) // 2)

    def receive_rest(self) -> None:
        assert self._received + self._answer.read() == self._data
        self._down.close()
