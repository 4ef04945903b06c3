# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Images whose layers can be asked for one by one: those of a registry and of an OCI layout. Each layer is read once."""

from __future__ import annotations

import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.audit.layer import (
    FileScan,
    LayerContents,
    read_layer,
    read_line,
)
from ansible_collections.longshore.delivery.plugins.module_utils.audit.report import Audited
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.digest import BlobDigest
from ansible_collections.longshore.delivery.plugins.module_utils.image.contents import ImageContents
from ansible_collections.longshore.delivery.plugins.module_utils.verified_stream import Readable

_PIECE = 1024 * 1024  # bytes

OpenLayer = t.Callable[[ImageContents, BlobDigest], t.ContextManager[Readable]]
NameLayer = t.Callable[[ImageContents, int], str]


def read_stored(
    images: t.Iterable[ImageContents],
    open_layer: OpenLayer,
    scan: FileScan,
    called: NameLayer,
    progress: t.Callable[[str], None] = lambda line: None,
) -> t.List[Audited]:
    """The images with their layers. One that is none of an image, as a chart, is left out.

    :param open_layer: opens a layer's bytes, by the image that has it.
    :param called: names a layer for people, by the image and its number there.
    :param progress: told of each layer when it was read.
    :raises DeliveryError: a layer is damaged, not there, or compressed in an unknown way.
    """
    read: t.Dict[BlobDigest, LayerContents] = {}
    found = []
    for image in images:
        if not image.config:
            continue
        digests = [layer.digest for layer in image.layers if layer.digest is not None]
        for index, digest in enumerate(digests):
            if digest in read:
                continue
            try:
                with open_layer(image, digest) as stream:
                    read[digest] = read_layer(stream, scan)
                    while stream.read(_PIECE):  # to the end, where it is verified
                        pass
            except DeliveryError as error:
                name = called(image, index)
                raise DeliveryError(
                    "%s (%s) cannot be read: %s" % (name[:1].upper() + name[1:], digest, error), **error.facts
                ) from None
            progress(read_line(called(image, index), read[digest]))
        found.append(Audited(image, tuple(read[digest] for digest in digests)))
    return found
