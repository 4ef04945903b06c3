# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The inputs of the last build of an image on this controller, item by item, so that a rebuild can name what changed.

It is a convenience: the decision to build is made by what the image itself records. But images that others make from it inherit
that: so the note has the image, too. An image that is to be judged before it gets its names has a note of its own, by which a
later run finds it. A tag that is new has no note: then that of the last build counts that had the same repository, target and
platforms. That one has what was made of which inputs, too, by which a registry, that cannot be searched, is asked for it.
"""

from __future__ import annotations

import contextlib
import os
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.inputs import Inputs
from ansible_collections.longshore.delivery.plugins.module_utils.build.private_files import (
    note_path,
    read_json,
    write_json,
)
from ansible_collections.longshore.delivery.plugins.module_utils.build.wanted import Wanted
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.image import Image

_KEPT = 100  # images of a repository by their inputs


class LastBuild:
    """The notes about one image on one engine, in the user's state directory (XDG_STATE_HOME).

    :param alike: what the builds have in common that come one after the other, whatever their tags.
    """

    def __init__(self, engine: str, image: str, alike: t.Sequence[str] = ()) -> None:
        self._about = {"engine": engine, "image": image}
        self._path = note_path("builds", engine, image)
        self._unnamed_path = note_path("unnamed", engine, image)
        self._latest_path = note_path("latest", engine, *alike)
        self._read: t.Optional[t.Dict[str, t.Any]] = None

    @classmethod
    def of(cls, engine: str, wanted: Wanted) -> LastBuild:
        return cls(engine, str(wanted.references[0]), (wanted.name, wanted.target, *sorted(wanted.platforms)))

    @property
    def _noted(self) -> t.Dict[str, t.Any]:
        if self._read is None:
            self._read = read_json(self._path)
            if not self._read:
                latest = read_json(self._latest_path).get("image")
                if isinstance(latest, str):
                    self._read = read_json(note_path("builds", self._about["engine"], latest))
        return self._read

    @property
    def name(self) -> str:
        """What was built then; empty where nothing was noted."""
        return str(self._noted.get("image", ""))

    def inputs(self) -> t.Optional[Inputs]:
        """What was noted; None where nothing was or it cannot be read."""
        kinds, digests = self._noted.get("kinds"), self._noted.get("digests")
        if not isinstance(kinds, dict) or not all(_is_texts(items) for items in kinds.values()):
            return None
        return Inputs(kinds, t.cast("t.Dict[str, str]", digests) if _is_texts(digests) else {})

    def image(self) -> t.Optional[Image]:
        """What was noted of the image that came of it, without its names and labels."""
        found = self._noted.get("made")
        try:
            return Image(found["id"], {}, layers=tuple(found["layers"]), settings=found["settings"]) if found else None
        except (KeyError, TypeError):
            return None

    def note(self, inputs: Inputs, image: Image) -> None:
        """Note these inputs and their image; they hold no value of an argument or a secret, only digests."""
        self._write(self._path, inputs, image)
        self._is_latest(inputs.digest, image.id)

    def unnamed(self) -> str:
        """The ID of the last image that was built and waits for its names; empty where there is none."""
        made = read_json(self._unnamed_path).get("made")
        return str(made.get("id", "")) if isinstance(made, dict) else ""

    def note_unnamed(self, inputs: Inputs, image: Image) -> None:
        """Likewise, of an image that has not got its names yet."""
        self._write(self._unnamed_path, inputs, image)

    def named(self, image_id: str) -> None:
        """The image that waited for its names has got them."""
        if image_id and self.unnamed() == image_id:
            with contextlib.suppress(OSError):  # as where it cannot be written
                os.replace(self._unnamed_path, self._path)
                self._read = None
                inputs = self.inputs()
                self._is_latest(inputs.digest if inputs else "", image_id)

    def made_of(self, digest: str) -> str:
        """The ID of the image that was made last of the inputs of this digest, under any tag; empty where none was noted."""
        return str(self._made().get(digest, ""))

    def _made(self) -> t.Dict[str, t.Any]:
        made = read_json(self._latest_path).get("made")
        return made if isinstance(made, dict) else {}

    def _is_latest(self, digest: str, image_id: str) -> None:
        self._read = None
        before = [(noted, made) for noted, made in self._made().items() if noted != digest]
        made = dict([*before[1 - _KEPT :], (digest, image_id)])
        write_json(self._latest_path, {**self._about, "made": made})

    def _write(self, path: str, inputs: Inputs, image: Image) -> None:
        made = {"id": image.id, "layers": image.layers, "settings": image.settings}
        write_json(path, {**self._about, "kinds": inputs.kinds, "digests": inputs.digests, "made": made})


def _is_texts(found: t.Any) -> bool:
    """Whether it is an object of texts."""
    return isinstance(found, dict) and set(map(type, found.values())) <= {str}
