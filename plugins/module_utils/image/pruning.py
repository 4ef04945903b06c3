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
    image_source,
    of_docker,
)
from ansible_collections.longshore.delivery.plugins.module_utils.image.names import Names
from ansible_collections.longshore.delivery.plugins.module_utils.image.prune_plan import Prunable
from ansible_collections.longshore.delivery.plugins.module_utils.node.docker_socket import DockerSocket
from ansible_collections.longshore.delivery.plugins.module_utils.node.held_images import HeldImage
from ansible_collections.longshore.delivery.plugins.module_utils.node.podman import Podman

if t.TYPE_CHECKING:
    from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.client import DockerEngine

Document = t.Mapping[str, t.Any]


class PruningEngine(t.Protocol):
    """Every method raises C(EngineRefusal) or C(DeliveryError)."""

    def images(self) -> t.List[Prunable]:
        """All images of the engine."""

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
        parents = self._podman.parents()
        users = _users(self._podman.containers())
        found = image_source(self._podman).images(Names())
        return [Prunable(one, parents.get(one.id, ""), users.get(one.id, ())) for one in found]

    def discard(self, name: str) -> None:
        self._podman.discard(name)


def pruning(client: t.Union[DockerSocket, DockerEngine, Podman]) -> PruningEngine:
    if isinstance(client, Podman):
        return PodmanPruning(client)
    return DockerPruning(client, client.discard if isinstance(client, DockerSocket) else client.remove)


def _users(containers: t.Iterable[Document]) -> t.Dict[str, t.Tuple[str, ...]]:
    """By an image's ID the containers that use it, by their names; both engines list them alike."""
    users: t.Dict[str, t.List[str]] = {}
    for container in containers:
        names = container.get("Names") or [container["Id"][:12]]
        users.setdefault(container["ImageID"], []).append(names[0].lstrip("/"))
    return {image_id: tuple(sorted(names)) for image_id, names in users.items()}
