# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Engines whose images can be pruned: what they hold with what keeps it there, and how it is taken away."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.image.contents import ImageContents
from ansible_collections.longshore.delivery.plugins.module_utils.image.engine_images import (
    DockerApi,
    DockerImages,
    layer_sizes,
    of_docker,
    of_podman,
)
from ansible_collections.longshore.delivery.plugins.module_utils.image.names import Names
from ansible_collections.longshore.delivery.plugins.module_utils.image.prune_plan import Prunable
from ansible_collections.longshore.delivery.plugins.module_utils.node.docker_socket import DockerSocket
from ansible_collections.longshore.delivery.plugins.module_utils.node.held_images import HeldImage, with_algorithm
from ansible_collections.longshore.delivery.plugins.module_utils.node.podman import Podman

if t.TYPE_CHECKING:
    from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.client import DockerEngine

Document = t.Mapping[str, t.Any]


class PruningEngine(t.Protocol):
    """Every method raises C(EngineRefusal) or C(DeliveryError)."""

    def images(self) -> t.List[Prunable]:
        """All images of the engine."""

    def held(self) -> t.List[HeldImage]:
        """The same, by their names alone."""

    def measured(self, images: t.Sequence[ImageContents]) -> t.List[ImageContents]:
        """The images with the sizes of their layers, where the engine tells them at all."""

    def discard(self, name: str) -> None:
        """Remove a name, or an image by its ID. What is gone already is no error."""


class _DockerApi(DockerApi, t.Protocol):
    def listed(self, hidden: bool = False) -> t.List[t.Dict[str, t.Any]]: ...

    def containers(self) -> t.List[t.Dict[str, t.Any]]: ...


class DockerPruning:
    """:param discard: removes a name, or an image by its ID."""

    def __init__(self, api: _DockerApi, discard: t.Callable[[str], None]) -> None:
        self._api = api
        self.discard = discard

    def images(self) -> t.List[Prunable]:
        listed = self._api.listed(hidden=True)
        parents = {one["Id"]: one.get("ParentId") or "" for one in listed}
        users = _users(self._api.containers())
        images = DockerImages(self._api)
        found = images.images(Names())
        if images.by_containerd():
            # what it counts as an image's size is partly what is transferred, partly what is unpacked
            found = [
                dataclasses.replace(
                    one, size=None, layers=tuple(dataclasses.replace(layer, size=None) for layer in one.layers)
                )
                for one in found
            ]
        seen = {one.id for one in found}
        return [
            *(Prunable(one, parents.get(one.id, ""), users.get(one.id, ())) for one in found),
            *(
                Prunable(image, parents[image.id], users.get(image.id, ()), is_step=True)
                for image in self._steps(one for one in listed if one["Id"] not in seen)
            ),
        ]

    def held(self) -> t.List[HeldImage]:
        return [HeldImage.of_docker(listed) for listed in self._api.listed(hidden=True)]

    def measured(self, images: t.Sequence[ImageContents]) -> t.List[ImageContents]:
        return list(images)  # its history tells them of every image

    def _steps(self, listed: t.Iterable[Document]) -> t.Iterator[ImageContents]:
        """What the classic builder left between a build's steps."""
        for one in listed:
            shown = self._api.inspected(one["Id"])
            if shown is not None:
                yield of_docker(HeldImage.of_docker(one), shown, (), by_containerd=False)


class PodmanPruning:
    def __init__(self, podman: Podman) -> None:
        self._podman = podman

    def images(self) -> t.List[Prunable]:
        users = _users(self._podman.containers())
        held = {image.image_id: image for image in self._podman.images(hidden=True)}
        seen = {image.image_id for image in self._podman.images()}
        return [
            Prunable(
                of_podman(held[image_id], shown),
                with_algorithm(shown.get("Parent") or ""),
                users.get(image_id, ()),
                is_step=image_id not in seen,
            )
            for image_id, shown in self._podman.all_inspected(list(held)).items()
            if shown is not None
        ]

    def held(self) -> t.List[HeldImage]:
        return self._podman.images(hidden=True)

    def measured(self, images: t.Sequence[ImageContents]) -> t.List[ImageContents]:
        # a process for each, so only for those that it matters of
        return [self._with_sizes(image) for image in images]

    def discard(self, name: str) -> None:
        self._podman.discard(name)

    def _with_sizes(self, image: ImageContents) -> ImageContents:
        grown = [int(entry.get("size") or 0) for entry in reversed(self._podman.history(image.id))]
        sizes = layer_sizes(grown, len(image.layers))
        layers = tuple(dataclasses.replace(layer, size=size) for layer, size in zip(image.layers, sizes))
        return dataclasses.replace(image, layers=layers) if layers else image


def pruning(client: t.Union[DockerSocket, DockerEngine, Podman]) -> PruningEngine:
    if isinstance(client, Podman):
        return PodmanPruning(client)
    return DockerPruning(client, client.discard if isinstance(client, DockerSocket) else client.remove)


def _users(containers: t.Iterable[Document]) -> t.Dict[str, t.Tuple[str, ...]]:
    """By an image's ID the containers that use it, by their names; both engines list them alike."""
    users: t.Dict[str, t.List[str]] = {}
    for container in containers:
        names = container.get("Names") or [container["Id"][:12]]
        users.setdefault(with_algorithm(container["ImageID"]), []).append(names[0].lstrip("/"))
    return {image_id: tuple(sorted(names)) for image_id, names in users.items()}
