# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Engines that hold images, each asked past the collection in words of its own, and images to put into them."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import subprocess
import typing as t
import uuid

import docker

from tests.integration.asking import on_node
from tests.lab.nodes import NODES
from tests.unit.module_utils.audit.made import Content, layer_bytes

LABEL = "longshore.test"


class Saved:
    """Images as C(docker save) writes them into one archive; a layer that several have is the same there.

    :ivar salt: the value of C(LABEL), by which they are like no others.
    :ivar ids: the digests of their configurations, in the order in which they came.
    """

    def __init__(self) -> None:
        self.salt = uuid.uuid4().hex
        self.ids: list[str] = []
        self._entries: list[dict[str, t.Any]] = []
        self._parts: dict[str, Content] = {}

    def add(self, document: dict[str, t.Any], layers: t.Sequence[bytes], *names: str) -> str:
        """:param document: a configuration without its layers, to which the label is added."""
        config = copy.deepcopy(document)
        config.setdefault("config", {}).setdefault("Labels", {})[LABEL] = self.salt
        digests = [hashlib.sha256(each).hexdigest() for each in layers]
        config["rootfs"] = {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]}
        written = json.dumps(config).encode()
        encoded = hashlib.sha256(written).hexdigest()
        self._parts.update({f"{digest}/layer.tar": each for digest, each in zip(digests, layers, strict=True)})
        self._parts[f"{encoded}.json"] = written
        files = [f"{digest}/layer.tar" for digest in digests]
        self._entries.append({"Config": f"{encoded}.json", "RepoTags": list(names), "Layers": files})
        self.ids.append(f"sha256:{encoded}")
        return self.ids[-1]

    @staticmethod
    def diff_id(layer: bytes) -> str:
        return "sha256:" + hashlib.sha256(layer).hexdigest()

    def archive(self) -> bytes:
        return layer_bytes({**self._parts, "manifest.json": json.dumps(self._entries).encode()})


class Holder(t.Protocol):
    """An engine.

    :ivar options: of a module, to ask it.
    :ivar tells_digests: whether it calls an image by the digest of its configuration.
    """

    options: dict[str, t.Any]
    tells_digests: bool

    def load(self, archive: bytes) -> None: ...

    def names(self) -> dict[str, str]:
        """What the engine calls the image of each name, in full."""

    def used(self, name: str) -> t.ContextManager[str]:
        """A container that uses an image, never started; its name."""

    def remove(self, image_id: str) -> None:
        """Remove an image with all its names, if it is there."""


class DockerHolder:
    """:param client: closed in the end by whoever made it."""

    def __init__(self, client: docker.DockerClient, options: dict[str, t.Any], *, tells_digests: bool = True) -> None:
        self.client = client
        self.options = options
        self.tells_digests = tells_digests

    def load(self, archive: bytes) -> None:
        self.client.images.load(archive)

    def names(self) -> dict[str, str]:
        # one question: what else is there may go between two
        return {tag: image["Id"] for image in self.client.api.images() for tag in image["RepoTags"] or ()}

    @contextlib.contextmanager
    def used(self, name: str) -> t.Iterator[str]:
        container = self.client.api.create_container(name, ["/none"])
        try:
            yield str(self.client.api.inspect_container(container)["Name"]).lstrip("/")
        finally:
            self.client.api.remove_container(container)

    def remove(self, image_id: str) -> None:
        with contextlib.suppress(docker.errors.ImageNotFound):
            self.client.api.remove_image(image_id, force=True)


class PodmanHolder:
    """Podman on dock; the modules find it by a program on this machine, see C(docks_podman)."""

    options: t.ClassVar[dict[str, t.Any]] = {"engine": "podman"}
    tells_digests = True

    def load(self, archive: bytes) -> None:
        argv = ["docker", "exec", "-i", NODES["dock"].container, "podman", "load", "--quiet"]
        subprocess.run(argv, input=archive, check=True, capture_output=True)

    def names(self) -> dict[str, str]:
        listed = json.loads(on_node("dock", "podman", "images", "--no-trunc", "--format", "json"))
        return {name: "sha256:" + str(image["Id"]) for image in listed for name in image.get("Names") or ()}

    @contextlib.contextmanager
    def used(self, name: str) -> t.Iterator[str]:
        container = f"longshore-test-{uuid.uuid4().hex[:12]}"
        on_node("dock", "podman", "create", "--name", container, name, "/none")
        try:
            yield container
        finally:
            on_node("dock", "podman", "rm", container)

    def remove(self, image_id: str) -> None:
        argv = ["docker", "exec", NODES["dock"].container, "podman", "rmi", "--force", image_id.removeprefix("sha256:")]
        subprocess.run(argv, capture_output=True, check=False)
