# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What a registry serves under the names of a delivery's images. No engine is asked, and nothing is changed."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.pull.image_push import Wanted
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings

NODES = "nodes"
NOWHERE = "nowhere"
LAYOUT = "layout"  # an output of a build

Params = t.Mapping[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Served:
    """Of the images that nodes are to hold: those that are served, pinned to their digests, and the names of the others."""

    references: t.Tuple[str, ...] = ()
    missing: t.Tuple[str, ...] = ()


def for_nodes(images: t.Iterable[Params], registry: Params) -> t.List[Wanted]:
    """The images that nodes are to hold, after a look at the names of all.

    :param images: with C(name), C(tags), C(distribute) and C(output).
    :raises DeliveryError: a name, a tag or the registry is none, or they contradict each other.
    """
    endpoint = RegistrySettings.from_params(registry).endpoint
    wanted = []
    for image in images:
        if image["distribute"] == NOWHERE or image["output"] == LAYOUT:
            reference = Reference.parse(image["name"], endpoint)
            for tag in image["tags"]:
                reference.with_tag(tag)
            continue
        pushed = Wanted.from_params({"name": image["name"], "tags": image["tags"], "registry": registry})
        if image["distribute"] == NODES:
            wanted.append(pushed)
    return wanted


def ask(wanted: t.Iterable[Wanted], registry: Params) -> Served:
    """What the registry serves of these.

    :raises RegistryError: it cannot be asked.
    """
    references, missing = [], []
    with RegistryClient(RegistrySettings.from_params(registry)) as client:
        client.ping()
        for image in wanted:
            for tag in image.tags:
                head = client.head_manifest(image.target.repository, tag)
                if head is None:
                    missing.append(str(image.served_as(tag)))
                else:
                    references.append(str(image.target.with_digest(head.digest)))
    return Served(tuple(dict.fromkeys(references)), tuple(dict.fromkeys(missing)))
