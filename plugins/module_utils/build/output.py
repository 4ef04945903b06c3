# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Where an image is to be, and what is done there: an engine's store; others are in C(stored_output)."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.builder import (
    BuildEngine,
    Builder,
    BuildRequest,
    Built,
    Show,
)
from ansible_collections.longshore.delivery.plugins.module_utils.build.leftovers import Made, taken_away
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.image import Image
from ansible_collections.longshore.delivery.plugins.module_utils.image.naming import give_names
from ansible_collections.longshore.delivery.plugins.module_utils.image.recorded_inputs import DIGEST_LABEL
from ansible_collections.longshore.delivery.plugins.module_utils.image.tag_plan import TagStep
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference

ENGINE, LAYOUT, REGISTRY = "engine", "layout", "registry"
OUTPUTS = (ENGINE, LAYOUT, REGISTRY)


class Work(t.Protocol):
    """A build on its way to where the image is to be. What it made and what got no name is gone at its end."""

    def build(self, builder: Builder, request: BuildRequest, show: Show) -> Built:
        """Build an image without a name."""

    def image(self, image_id: str) -> t.Optional[Image]:
        """One that was built; None where there is none."""

    def drop(self, image_id: str) -> None:
        """One that was built is not needed."""

    def keep(self, image_id: str) -> None:
        """Bring one that was built to where it is to be, where it gets its names later."""

    def name(self, image_id: str, steps: t.Sequence[TagStep]) -> None:
        """Bring one that was built to where it is to be, under these names: all of them or none."""


class Output(t.Protocol):
    """Where an image is to be; every method raises C(DeliveryError).

    :ivar kind: one of OUTPUTS.
    :ivar shows_whole: whether what it shows of an image tells all that can differ.
    """

    kind: str
    shows_whole: bool

    @property
    def where(self) -> str:
        """As messages name it, as in "the OCI layout /srv/layout"."""

    @property
    def short(self) -> str:
        """The same where it is clear which one is meant."""

    def close(self) -> None: ...

    def image(self, reference: Reference) -> t.Optional[Image]:
        """What has a name there; None where nothing has."""

    def with_inputs(self, digest: str, made: str) -> t.Iterator[Image]:
        """Images that say that they are of these inputs, as far as they can be found without their names.

        :param made: the ID of the one that this controller noted to be; empty where it noted none.
        """

    def unnamed(self, image_id: str) -> t.Optional[Image]:
        """One that was kept there without a name; None where there is none."""

    def forget(self, image_id: str) -> None:
        """One that was kept there without a name is not needed, unless it has got one."""

    def name(self, image_id: str, steps: t.Sequence[TagStep]) -> None:
        """Give names to an image that is there: all of them or none."""

    def work(self, digest: str) -> t.ContextManager[Work]:
        """Have an image of these inputs built for it."""


class EngineOutput:
    """The store of the engine that builds."""

    kind = ENGINE
    shows_whole = False
    short = "the engine"

    def __init__(self, engine: BuildEngine) -> None:
        self._engine = engine

    @property
    def where(self) -> str:
        return self._engine.where

    def close(self) -> None:
        """The engine is not its own."""

    def image(self, reference: Reference) -> t.Optional[Image]:
        return self._engine.image(str(reference))

    def with_inputs(self, digest: str, made: str) -> t.Iterator[Image]:
        for listed in self._engine.labelled(DIGEST_LABEL, digest):
            # images of others inherit the label from their base, and none is looked at for nothing
            image = self._engine.image(listed.id) if listed.references else None
            if image is not None:
                yield image

    def unnamed(self, image_id: str) -> t.Optional[Image]:
        return self._engine.image(image_id)

    def forget(self, image_id: str) -> None:
        found = self._engine.image(image_id)
        if found is not None and not found.references:
            self._engine.remove(image_id)

    def name(self, image_id: str, steps: t.Sequence[TagStep]) -> None:
        engine = self._engine
        give_names(image_id, steps, engine.tag, lambda reference: engine.remove(str(reference)))

    @contextlib.contextmanager
    def work(self, digest: str) -> t.Iterator[Work]:
        with taken_away(self._engine, digest) as made:
            yield _EngineWork(self, self._engine, made)


class _EngineWork:
    def __init__(self, output: EngineOutput, engine: BuildEngine, made: Made) -> None:
        self._engine = engine
        self._made = made
        self.name = output.name

    def build(self, builder: Builder, request: BuildRequest, show: Show) -> Built:
        built = builder.build(request, show)
        self._made.image_id = self._made.image_id or built.image_id
        return built

    def image(self, image_id: str) -> t.Optional[Image]:
        return self._engine.image(image_id)

    def drop(self, image_id: str) -> None:
        self._engine.remove(image_id)

    def keep(self, image_id: str) -> None:
        """It is in the engine since it was built."""
