# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Where the images to audit are: an engine, a registry, an OCI layout, or an archive."""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.absolute_path import check_absolute
from ansible_collections.longshore.delivery.plugins.module_utils.audit.handed_out import EngineReader
from ansible_collections.longshore.delivery.plugins.module_utils.audit.image_archive import read_archive
from ansible_collections.longshore.delivery.plugins.module_utils.audit.layer import FileScan
from ansible_collections.longshore.delivery.plugins.module_utils.audit.layer_names import LayerNames
from ansible_collections.longshore.delivery.plugins.module_utils.audit.report import Audited
from ansible_collections.longshore.delivery.plugins.module_utils.audit.stored_images import read_stored
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.digest import BlobDigest
from ansible_collections.longshore.delivery.plugins.module_utils.image.contents import ImageContents
from ansible_collections.longshore.delivery.plugins.module_utils.image.engine_images import image_source
from ansible_collections.longshore.delivery.plugins.module_utils.image.local_engine import LocalEngine, find_engine
from ansible_collections.longshore.delivery.plugins.module_utils.image.names import Names
from ansible_collections.longshore.delivery.plugins.module_utils.image.oci_layout import OciLayout
from ansible_collections.longshore.delivery.plugins.module_utils.image.registry_image import RegistryImages
from ansible_collections.longshore.delivery.plugins.module_utils.node.client import EngineRefusal
from ansible_collections.longshore.delivery.plugins.module_utils.node.cri import Cri
from ansible_collections.longshore.delivery.plugins.module_utils.node.said import core_of
from ansible_collections.longshore.delivery.plugins.module_utils.reference import DOCKER_HUB
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.verified_stream import Readable

ENGINE, REGISTRY, LAYOUT, ARCHIVE = "engine", "registry", "layout", "archive"


@dataclasses.dataclass(frozen=True)
class Source:
    """Images that were read.

    :param where: where they are, as a message names it.
    :param told: what the result says of that.
    """

    images: t.Tuple[Audited, ...]
    where: str
    told: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)


def read_images(params: t.Mapping[str, t.Any], scan: FileScan, layer_names: LayerNames, context: Context) -> Source:
    """Read every layer of the images that are meant, once, be it of several of them.

    :raises DeliveryError: an option cannot be meant, one of the images is not there, or what is there cannot be read.
    """
    store = params["store"]
    settings = RegistrySettings.from_params(params["registry"]) if store == REGISTRY else None
    names = Names.parse(params["references"], None, settings.endpoint if settings else DOCKER_HUB)
    if store != ENGINE:
        names.check(store)
    if settings is not None:
        source = _of_registry(settings, names, scan, layer_names, context)
    elif store == LAYOUT:
        source = _of_layout(params["layout"], names, scan, layer_names, context)
    elif store == ARCHIVE:
        source = _of_archive(params["archive"], names, scan, context)
    else:
        with contextlib.ExitStack() as opened:
            source = _of_engine(find_engine(params, context, opened), names, scan, layer_names, context)
    absent = [str(name) for name, one in _each(names) if not any(_is_meant(read.image, one) for read in source.images)]
    if absent or not source.images:
        missing = "%s has no image %s." % (source.where, ", ".join(absent) or "at all")
        if not context.check:
            way_out = "Build, pull or push it first; image_info shows what is there."
            raise DeliveryError("%s %s" % (missing, way_out), **source.told)
        context.warn("%s What comes before in the same playbook may change that." % missing)
    return source


def _each(names: Names) -> t.Iterator[t.Tuple[object, Names]]:
    """Each reference and ID, and as all that is wanted."""
    for reference in names.references:
        yield reference, Names((reference,))
    for image_id in names.ids:
        yield image_id.digits, Names(ids=(image_id,))


def _is_meant(image: ImageContents, names: Names) -> bool:
    return names.wants([*image.references, *image.pinned], image_id=image.id)


def _of_registry(
    settings: RegistrySettings, names: Names, scan: FileScan, layer_names: LayerNames, context: Context
) -> Source:
    client = RegistryClient(settings)

    def open_layer(image: ImageContents, digest: BlobDigest) -> t.ContextManager[Readable]:
        return client.open_blob(image.pinned[0].repository, digest)

    with RegistryImages(client, context.progress) as registry:
        read = read_stored(registry.images(names), open_layer, scan, layer_names.called, context.progress)
        return Source(tuple(read), "The registry %s" % settings.endpoint)


def _of_layout(path: str, names: Names, scan: FileScan, layer_names: LayerNames, context: Context) -> Source:
    with OciLayout(path) as layout:

        def open_layer(image: ImageContents, digest: BlobDigest) -> t.ContextManager[Readable]:
            return layout.open_blob(digest)

        read = read_stored(layout.images(names), open_layer, scan, layer_names.called, context.progress)
        return Source(tuple(read), "The OCI layout %s" % path)


def _of_archive(path: str, names: Names, scan: FileScan, context: Context) -> Source:
    check_absolute("archive", path)
    where = "The archive %s" % path
    try:
        with open(path, "rb") as stream:
            images = read_archive(stream, scan, context.progress, where, path)
    except OSError as error:
        raise DeliveryError(
            "%s cannot be read: %s. Correct 'archive', which is a file where the task runs." % (where, error.strerror)
        ) from None
    return Source(tuple(read for read in images if _is_meant(read.image, names)), where)


def _of_engine(engine: LocalEngine, names: Names, scan: FileScan, layer_names: LayerNames, context: Context) -> Source:
    client = engine.client
    if isinstance(client, Cri):
        raise DeliveryError(
            "%s is spoken to by the CRI, which hands out no layers. Set 'engine' to docker or podman, or audit the image where "
            "it came from: with 'store: registry'." % engine.where,
            **engine.told,
        )
    reader = EngineReader(client.saved, engine.where, scan, layer_names, context.progress)
    try:
        read = reader.read(image_source(client).images(names))
    except EngineRefusal as refusal:
        said = core_of(str(refusal)) or "nothing"
        raise DeliveryError(
            "%s does not hand the image out. It said: %s" % (engine.where, said), **engine.told
        ) from None
    return Source(tuple(read), engine.where, engine.told)
