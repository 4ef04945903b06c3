# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The images that an engine holds, as what it tells of them: Docker by its API, Podman and the runtimes behind the CRI."""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.digest import ConfigDigest, IndexDigest, ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.image.contents import (
    Digests,
    ImageContents,
    layers_of,
)
from ansible_collections.longshore.delivery.plugins.module_utils.image.names import Names
from ansible_collections.longshore.delivery.plugins.module_utils.node.cri import Cri
from ansible_collections.longshore.delivery.plugins.module_utils.node.held_images import HeldImage
from ansible_collections.longshore.delivery.plugins.module_utils.node.podman import Podman
from ansible_collections.longshore.delivery.plugins.module_utils.registry.manifest import INDEX_MEDIA_TYPES, MEDIA_TYPES

Document = t.Dict[str, t.Any]
_CONTAINERD_STORE = ["driver-type", "io.containerd.snapshotter.v1"]  # in Docker's DriverStatus


class ImageSource(t.Protocol):
    """Where images are."""

    def images(self, wanted: Names) -> t.List[ImageContents]:
        """Those that are meant by these names."""


class DockerApi(t.Protocol):
    """What is asked of a Docker engine: its own documents, by whichever client."""

    def info(self) -> Document: ...

    def listed(self) -> t.List[Document]: ...

    def inspected(self, image_id: str) -> t.Optional[Document]: ...

    def history(self, image_id: str) -> t.List[Document]: ...


class DockerImages:
    def __init__(self, api: DockerApi) -> None:
        self._api = api

    def images(self, wanted: Names) -> t.List[ImageContents]:
        """:raises EngineRefusal: the engine on this node's socket does not answer.

        :raises DockerEngineError: another does not.
        """
        by_containerd = self.by_containerd()
        found = []
        for listed in self._api.listed():
            held = HeldImage.of_docker(listed)
            if wants(wanted, held):
                shown = self._api.inspected(held.image_id)
                if shown is not None:
                    found.append(of_docker(held, shown, self._api.history(held.image_id), by_containerd))
        return found

    def by_containerd(self) -> bool:
        """Whether the engine keeps its images in containerd's store."""
        return _CONTAINERD_STORE in (self._api.info().get("DriverStatus") or ())


class _Program(t.Protocol):
    """An engine that is asked by a program, of several images by one process."""

    def images(self) -> t.List[HeldImage]: ...

    def all_inspected(self, image_ids: t.Sequence[str]) -> t.Dict[str, t.Optional[Document]]: ...


class ProgramsImages:
    """The images of an engine that is asked by a program.

    :param read: makes an image of the document that the program shows of it.
    """

    def __init__(self, program: _Program, read: t.Callable[[HeldImage, Document], ImageContents]) -> None:
        self._program = program
        self._read = read

    def images(self, wanted: Names) -> t.List[ImageContents]:
        """:raises EngineRefusal: the engine's own words."""
        # an image may be listed once for each of its names
        held = {image.image_id: image for image in self._program.images() if wants(wanted, image)}
        shown = self._program.all_inspected(list(held)).items()
        return [self._read(held[image_id], document) for image_id, document in shown if document is not None]


def image_source(client: t.Union[DockerApi, Podman, Cri]) -> ImageSource:
    """The images of the engine that a client speaks to."""
    if isinstance(client, Podman):
        return ProgramsImages(client, of_podman)
    if isinstance(client, Cri):
        return ProgramsImages(client, of_cri)
    return DockerImages(client)


def wants(wanted: Names, image: HeldImage) -> bool:
    """Whether an engine's image is meant, by its names or its ID."""
    return wanted.wants(image.references, image_id=image.image_id)


def of_docker(held: HeldImage, shown: Document, history: t.Sequence[Document], by_containerd: bool) -> ImageContents:
    """An image by Docker's API.

    :param history: the newest first. It has a size for each instruction and does not say which of them made a layer.
    :param by_containerd: whether the engine keeps images in containerd's store, where the ID is no config digest.
    """
    steps: t.List[Document] = [
        {"created": _iso(entry.get("Created")), "created_by": entry.get("CreatedBy")} for entry in reversed(history)
    ]
    layers = ((shown.get("RootFS") or {}).get("Layers")) or ()
    grown = [int(entry.get("Size") or 0) for entry in reversed(history)]
    sizes = layer_sizes(grown, len(layers))
    if sizes:
        steps = [{**step, "empty_layer": not size} for step, size in zip(steps, grown)]
    config = _config(shown, steps)
    return _contents(held, config, _docker_digests(shown, by_containerd), shown.get("Size"), sizes)


def layer_sizes(grown: t.Sequence[int], count: int) -> t.List[int]:
    """The layers' own sizes, the lowest first, of those of the instructions: an empty instruction has none.

    :param count: of layers; where another number of instructions have a size, nothing is known.
    """
    sizes = [size for size in grown if size]
    return sizes if len(sizes) == count else []


def of_podman(held: HeldImage, shown: Document) -> ImageContents:
    """An image as C(podman image inspect) shows it; its ID is the configuration's digest, unless it is a list alone."""
    if not shown:
        return _contents(held, {}, Digests(), None)
    manifest = None
    if shown.get("Digest") and shown.get("ManifestType") in MEDIA_TYPES:
        manifest = ManifestDigest.parse(shown["Digest"])
    is_index = shown.get("ManifestType") in INDEX_MEDIA_TYPES
    digests = Digests(ConfigDigest.parse(held.image_id), None if is_index else manifest)
    return _contents(held, _config(shown, shown.get("History") or ()), digests, shown.get("Size"))


def of_cri(held: HeldImage, shown: Document) -> ImageContents:
    """An image as C(crictl inspecti) shows it; its ID is the configuration's digest."""
    config = (shown.get("info") or {}).get("imageSpec") or {}
    size = (shown.get("status") or {}).get("size")  # 64 bits are a text in the JSON of Protocol Buffers
    digests = Digests(ConfigDigest.parse(held.image_id))
    return _contents(held, config, digests, int(size) if size else None)


def _contents(
    held: HeldImage,
    config: Document,
    digests: Digests,
    size: t.Optional[int],
    layer_sizes: t.Sequence[int] = (),
) -> ImageContents:
    return ImageContents(
        id=held.image_id,
        references=tuple(reference for reference in held.references if reference.digest is None and reference.tag),
        pinned=tuple(reference for reference in held.references if reference.digest is not None),
        digests=digests,
        config=config,
        layers=layers_of(config, sizes=layer_sizes),
        size=size,
    )


def _config(shown: Document, history: t.Sequence[Document]) -> Document:
    """Docker's and Podman's words as those of an OCI configuration."""
    return {
        "os": shown.get("Os"),
        "architecture": shown.get("Architecture"),
        "variant": shown.get("Variant"),
        "created": shown.get("Created"),
        "config": shown.get("Config") or {},
        "rootfs": {"diff_ids": list((shown.get("RootFS") or {}).get("Layers") or ())},
        "history": list(history),
    }


def _docker_digests(shown: Document, by_containerd: bool) -> Digests:
    if not by_containerd:
        return Digests(ConfigDigest.parse(shown["Id"]))
    media_type = (shown.get("Descriptor") or {}).get("mediaType")  # since 28; before, the kind is not told
    if media_type in INDEX_MEDIA_TYPES:
        return Digests(index=IndexDigest.parse(shown["Id"]))
    return Digests(manifest=ManifestDigest.parse(shown["Id"]) if media_type in MEDIA_TYPES else None)


def _iso(seconds: t.Optional[int]) -> t.Optional[str]:
    if not seconds or seconds < 0:
        return None
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
