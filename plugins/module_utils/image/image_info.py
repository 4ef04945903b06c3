# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What images there are in an engine, a registry or an OCI layout, and what is inside them. Changes nothing."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Capability, Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import ADDRESS_SPEC
from ansible_collections.longshore.delivery.plugins.module_utils.image.engine_images import (
    ImageSource,
    image_source,
)
from ansible_collections.longshore.delivery.plugins.module_utils.image.local_engine import find_engine
from ansible_collections.longshore.delivery.plugins.module_utils.image.names import Names
from ansible_collections.longshore.delivery.plugins.module_utils.image.oci_layout import OciLayout
from ansible_collections.longshore.delivery.plugins.module_utils.image.registry_image import RegistryImages
from ansible_collections.longshore.delivery.plugins.module_utils.image.selection import Selection
from ansible_collections.longshore.delivery.plugins.module_utils.node.client import EngineRefusal
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import (
    AUTO,
    CONTAINERD,
    CRIO,
    DOCKER,
    PODMAN,
)
from ansible_collections.longshore.delivery.plugins.module_utils.node.pull_faults import ENGINE_SILENT
from ansible_collections.longshore.delivery.plugins.module_utils.query import Query
from ansible_collections.longshore.delivery.plugins.module_utils.reference import DOCKER_HUB
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import (
    REGISTRY_SPEC,
    RegistrySettings,
)

ENGINE, REGISTRY, LAYOUT = "engine", "registry", "layout"


@dataclasses.dataclass(frozen=True)
class Store:
    """Where the images are that are asked for.

    :param where: as a message names it.
    :param told: what the result says of it.
    """

    images: ImageSource
    where: str
    told: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)


def run(params: t.Dict[str, t.Any], context: Context) -> t.Dict[str, t.Any]:
    """Look at the images of a store and select.

    :raises DeliveryError: an option cannot be meant, or the store cannot be read.
    """
    settings = RegistrySettings.from_params(params["registry"]) if params["store"] == REGISTRY else None
    names = Names.parse(params["references"], params["globs"], settings.endpoint if settings else DOCKER_HUB)
    if params["store"] != ENGINE:
        names.check(params["store"])
    selection = Selection.of(params, datetime.datetime.now(datetime.timezone.utc))
    query = Query(params["query"]) if params["query"] else None
    with contextlib.ExitStack() as opened:
        store = _store(params, settings, context, opened)
        try:
            found = store.images.images(names)
        except EngineRefusal as refusal:
            told = ENGINE_SILENT.told(store.where, "its registry", str(refusal))
            raise DeliveryError("Looking at the images failed: %s" % told, **store.told) from None
    shown = [image.shown() for image in found if selection.wants(image)]
    if query is not None:
        shown = query.selected(shown, context.warn)
    shown.sort(key=lambda image: (image["references"] or ["~"], image["platform"] or "", image["id"]))
    return {"changed": False, **store.told, "images": shown}


def _store(
    params: t.Mapping[str, t.Any],
    settings: t.Optional[RegistrySettings],
    context: Context,
    opened: contextlib.ExitStack,
) -> Store:
    """:param opened: what is to be closed afterwards enters it."""
    if settings is not None:
        client = RegistryClient(settings)
        return Store(
            opened.enter_context(RegistryImages(client, context.progress)), "the registry %s" % settings.endpoint
        )
    if params["store"] == LAYOUT:
        layout = opened.enter_context(OciLayout(params["layout"]))
        return Store(layout, "the OCI layout %s" % params["layout"])
    engine = find_engine(params, context, opened)
    return Store(image_source(engine.client), engine.where, engine.told)


CAPABILITY = Capability(
    run=run,
    argument_spec={
        **ADDRESS_SPEC,
        "store": {"type": "str", "choices": [ENGINE, REGISTRY, LAYOUT], "default": ENGINE},
        "engine": {"type": "str", "choices": [AUTO, CONTAINERD, CRIO, DOCKER, PODMAN], "default": AUTO},
        "registry": REGISTRY_SPEC,
        "layout": {"type": "path"},
        "references": {"type": "list", "elements": "str"},
        "globs": {"type": "list", "elements": "str"},
        "labels": {"type": "list", "elements": "str"},
        "dangling": {"type": "bool"},
        "older_than": {"type": "str"},
        "newer_than": {"type": "str"},
        "query": {"type": "str"},
    },
    constraints={"required_if": [["store", REGISTRY, ["registry"]], ["store", LAYOUT, ["layout"]]]},
)
