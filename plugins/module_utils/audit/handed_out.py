# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Images that an engine hands out as archives. It writes a layer once into each, however many of the archive's images have it, so
that images which share layers are asked for together.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.audit.image_archive import read_archive
from ansible_collections.longshore.delivery.plugins.module_utils.audit.layer import FileScan
from ansible_collections.longshore.delivery.plugins.module_utils.audit.layer_names import LayerNames, image_name
from ansible_collections.longshore.delivery.plugins.module_utils.audit.report import Audited
from ansible_collections.longshore.delivery.plugins.module_utils.image.contents import ImageContents
from ansible_collections.longshore.delivery.plugins.module_utils.verified_stream import Readable

# an engine prepares all of an archive before its first byte, and Podman writes it into a file
MOST_AT_ONCE = 20_000_000_000  # bytes of images, each counted by itself

Images = t.List[ImageContents]
# of an engine's client, by names or IDs
HandOut = t.Callable[..., t.ContextManager[Readable]]


@dataclasses.dataclass(frozen=True)
class EngineReader:
    """Reads the images of an engine.

    :param saved: has the engine hand images out.
    :param where: the engine, as messages name it.
    :param progress: told of each layer when it was read.
    """

    saved: HandOut
    where: str
    scan: FileScan
    names: LayerNames
    progress: t.Callable[[str], None]

    def read(self, images: t.Sequence[ImageContents]) -> t.List[Audited]:
        """The images with their layers, each of which is read once where the engine hands it out once.

        :raises UnreadableArchive: what the engine hands out is damaged.
        """
        read: t.Dict[str, t.List[Audited]] = {}
        for group in asked_together(images):
            found = self._archive(group)
            for image in group:
                own = found if len(group) == 1 else [saved for saved in found if _is(image, saved.image)]
                # a store of an engine may call it by what the archive does not tell
                read[image.id] = [_with_names(image, saved) for saved in own or self._archive([image])]
        return [saved for image in images for saved in read[image.id]]

    def _archive(self, images: Images) -> t.List[Audited]:
        # by a name where it has one: not every store hands an image out by what it calls it itself
        asked = [str(image.references[0]) if image.references else image.id for image in images]
        called = ", ".join(map(image_name, images))
        where = "What %s hands out of %s" % (self.where, called)
        with self.saved(*asked) as stream:
            return read_archive(stream, self.scan, self.progress, where, called, self.names.by_file(images))


def asked_together(images: t.Sequence[ImageContents], most: int = MOST_AT_ONCE) -> t.List[Images]:
    """The images in groups: those that share a layer, with others between them or not, as long as they are not too large.

    :param most: bytes of a group of more than one.
    """
    groups: t.List[t.Tuple[t.Set[str], Images]] = []
    for image in images:
        layers = {str(layer.diff_id) for layer in image.layers if layer.diff_id is not None}
        sharing = [group for group in groups if layers & group[0]]
        groups = [group for group in groups if not layers & group[0]]
        together = [other for _layers, group in sharing for other in group]
        groups.append((layers.union(*(each for each, _group in sharing)), [*together, image]))
    return [part for _layers, group in groups for part in _parts(group, most)]


def _parts(group: Images, most: int) -> t.List[Images]:
    parts: t.List[Images] = []
    left = -1
    for image in group:
        size = image.size or 0
        if left < size:
            parts.append([])
            left = most
        parts[-1].append(image)
        left -= size
    return parts


def _is(image: ImageContents, saved: ImageContents) -> bool:
    """Whether an archive's image is the engine's, which calls it by one of its digests."""
    digests = (saved.digests.config, saved.digests.manifest, saved.digests.index)
    return image.id in [str(digest) for digest in digests if digest is not None]


def _with_names(image: ImageContents, saved: Audited) -> Audited:
    """The engine knows more of its names, the archive of its history and in containerd's store of its digests."""
    digests = dataclasses.replace(image.digests, config=saved.image.digests.config)
    return Audited(dataclasses.replace(image, config=saved.config, digests=digests), saved.layers)
