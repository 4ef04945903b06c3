# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What images and their layers are called where people read it: a layer by its image, its number and its instruction."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.audit.detectors import Detectors
from ansible_collections.longshore.delivery.plugins.module_utils.audit.history import instructions
from ansible_collections.longshore.delivery.plugins.module_utils.audit.settings_secrets import shown_instruction
from ansible_collections.longshore.delivery.plugins.module_utils.image.contents import ImageContents
from ansible_collections.longshore.delivery.plugins.module_utils.printable import printable

_WIDEST = 50  # characters of an instruction
_DIGITS = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


class LayerNames:
    """:param detectors: an instruction in which they see a secret is not shown."""

    def __init__(self, detectors: Detectors) -> None:
        self._detectors = detectors

    def called(self, image: ImageContents, index: int) -> str:
        """As in "layer 2 of registry.example/shop/web:1.4, COPY . /app"."""
        made_by = {step.layer: step for step in instructions(image.config, len(image.layers))}
        name = "layer %d of %s" % (index, image_name(image))
        step = made_by.get(index)
        shown = printable(shown_instruction(step, self._detectors)) if step else ""
        if not shown:
            return name
        return "%s, %s" % (name, shown if len(shown) <= _WIDEST else shown[: _WIDEST - 3] + "...")

    def by_file(self, images: t.Iterable[ImageContents]) -> t.Callable[[str], t.Optional[str]]:
        """What names a layer of these images by its file in an archive of them; None where that does not tell it."""
        places: t.Dict[str, t.Tuple[ImageContents, int]] = {}
        for image in images:
            for layer in image.layers:
                for digest in (layer.diff_id, layer.digest):
                    if digest is not None:
                        places.setdefault(digest.encoded, (image, layer.index))

        def called(name: str) -> t.Optional[str]:
            found = _DIGITS.search(name)
            place = places.get(found.group()) if found else None
            return None if place is None else self.called(*place)

        return called


def image_name(image: ImageContents) -> str:
    """The name of an image that people know it by, else its ID."""
    return next(iter((*map(str, image.references), *image.names)), image.id)
