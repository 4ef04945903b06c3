# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The inputs of the last build of an image on this controller, item by item, so that a rebuild can name what changed.

It is a convenience: the decision to build is made by what the image itself records. But images that others make from it inherit
that: so the note has the image, too.
"""

from __future__ import annotations

import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.inputs import Inputs
from ansible_collections.longshore.delivery.plugins.module_utils.build.private_files import (
    note_path,
    read_json,
    write_json,
)
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.image import Image


class LastBuild:
    """The note about one image on one engine, in the user's state directory (XDG_STATE_HOME)."""

    def __init__(self, engine: str, image: str) -> None:
        self._about = {"engine": engine, "image": image}
        self._path = note_path("builds", engine, image)

    def inputs(self) -> t.Optional[Inputs]:
        """What was noted; None where nothing was or it cannot be read."""
        kinds = read_json(self._path).get("kinds")
        if not isinstance(kinds, dict) or not all(isinstance(items, dict) for items in kinds.values()):
            return None
        return Inputs({str(kind): {str(k): str(v) for k, v in items.items()} for kind, items in kinds.items()})

    def image(self) -> t.Optional[Image]:
        """What was noted of the image that came of it, without its names and labels."""
        found = read_json(self._path).get("made")
        try:
            return Image(found["id"], {}, layers=tuple(found["layers"]), settings=found["settings"]) if found else None
        except (KeyError, TypeError):
            return None

    def note(self, inputs: Inputs, image: Image) -> None:
        """Note these inputs and their image; they hold no value of an argument or a secret, only digests."""
        made = {"id": image.id, "layers": image.layers, "settings": image.settings}
        write_json(self._path, {**self._about, "kinds": inputs.kinds, "made": made})
