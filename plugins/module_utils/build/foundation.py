# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What a build stands on: the stages that it needs, the images they come from, and what these have it do by ONBUILD."""

from __future__ import annotations

import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.bases import Bases
from ansible_collections.longshore.delivery.plugins.module_utils.build.builder import BuildEngine
from ansible_collections.longshore.delivery.plugins.module_utils.build.definition import Definition
from ansible_collections.longshore.delivery.plugins.module_utils.build.inputs import Recorded
from ansible_collections.longshore.delivery.plugins.module_utils.build.wanted import Wanted
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Context
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.image import Image
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.fetches import fetched
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.stages import (
    BaseImage,
    Stage,
    base_images,
    named_image,
    source_stage,
    syntax_image,
    target_arguments,
    uses_platform,
)


class Foundation:
    """What is known of it without a build: ONBUILD instructions are, of the images that the engine holds.

    :ivar stages: those that the target needs, for the first platform.
    :ivar bases: the images they come from.
    """

    def __init__(self, wanted: Wanted, definition: Definition, engine: BuildEngine, context: Context) -> None:
        self._wanted = wanted
        self._definition = definition
        self._engine = engine
        self._warn = context.warn
        self._may_come = context.warn if context.check else None
        self._coming = wanted.coming if context.check else {}
        self._warned: t.Set[str] = set()
        self._contexts = {named.name: named.image for named in wanted.contexts}
        self._triggers: t.Dict[str, t.Tuple[str, ...]] = {}
        self._arrange()

    def look(self) -> t.Dict[str, str]:
        """The image IDs of the bases that the engine holds now, by reference, those that an ONBUILD instruction names as well.

        :raises DeliveryError: an instruction of theirs, or an argument, cannot be.
        """
        held = self.bases.held()
        triggers = {source: found for source, found in self._on_build().items() if found}
        if triggers != self._triggers:
            self._triggers = triggers
            self._arrange()
            held = self.bases.held()
        self._check()
        return held

    def assumed(self, current: Image, absent: t.Sequence[BaseImage]) -> t.Dict[str, str]:
        """What counts as the bases that the engine does not hold: those that an image was built from. What they name by ONBUILD
        is not known to be a base now.
        """
        recorded = Recorded.of(current.labels).bases
        names = [name for name in (str(base.reference) for base in absent) if name in recorded]
        found = {name: self.bases.counts_as(name, recorded[name]) for name in names}
        if not self.is_known:
            for name in recorded.keys() - self.bases.names:
                image = self._engine.bases.image(name)
                found[name] = image.id if image else recorded[name]
        return found

    def pull(self, bases: t.Sequence[BaseImage], show: t.Callable[[str], None]) -> t.Tuple[BaseImage, ...]:
        """Fetch bases, and those that they turn out to name by ONBUILD.

        :returns: all of them.
        """
        pulled: t.Dict[str, BaseImage] = {}
        waiting = list(bases)
        while waiting:
            for base in waiting:
                show("pulling the base image %s" % base.reference)
                self.bases.pull(base)
                pulled[str(base.reference)] = base
            held = self.look()
            waiting = [base for base in self.bases.absent(held) if str(base.reference) not in pulled]
        return tuple(pulled.values())

    @property
    def is_known(self) -> bool:
        """Whether the engine was seen to hold every image that a stage starts from, and tells their ONBUILD instructions."""
        return None not in self._on_build().values()

    def _check(self) -> None:
        wanted, definition = self._wanted, self._definition
        if self.is_known:
            definition.check_arguments(wanted.args, self.stages)
        definition.check_copies(self.stages)
        if wanted.rebuild != "auto":
            return
        for instruction in fetched(self.stages, wanted.args, definition.dockerfile.escape):
            place = "%s, line %d: %s" % (definition.path, instruction.line, instruction)
            if place not in self._warned:
                self._warned.add(place)
                self._warn(
                    "%s fetches what nobody can know before the build: a change there builds nothing. "
                    "Copy it into 'source', or set 'rebuild: always'." % place
                )

    def _arrange(self) -> None:
        definition, engine = self._definition, self._engine
        self._of_platforms = self._stages_of_platforms()
        self.stages = self._of_platforms[0]
        bases = syntax_image(definition.dockerfile, self._wanted.args) if engine.follows_syntax else ()
        for stages in self._of_platforms:
            bases += base_images(stages, stages, definition.path, self._contexts)
        bases = tuple({str(base.reference): base for base in reversed(bases)}.values())[::-1]
        self.bases = Bases(
            engine.bases,
            bases,
            definition.path,
            self._wanted.platforms,
            self._coming,
            self._wanted.served,
            self._may_come,
        )

    def _stages_of_platforms(self) -> t.List[t.Tuple[Stage, ...]]:
        """The stages that are needed, for each platform where a FROM names it, else once."""
        wanted, definition = self._wanted, self._definition
        if not uses_platform(definition.dockerfile):
            return [definition.stages(wanted.args, wanted.target, self._triggers)]
        own = self._engine.platform_arguments()
        return [
            definition.stages({**own, **target_arguments(platform), **wanted.args}, wanted.target, self._triggers)
            for platform in wanted.platforms or (own["BUILDPLATFORM"],)
        ]

    def _on_build(self) -> t.Dict[str, t.Optional[t.Tuple[str, ...]]]:
        """By what a FROM calls an image its ONBUILD instructions; None where the engine does not tell them."""
        found: t.Dict[str, t.Optional[t.Tuple[str, ...]]] = {}
        for stages in self._of_platforms:
            for stage in stages:
                image = None if source_stage(stages, stage, stage.source) else named_image(stage.source, self._contexts)
                if image is not None:
                    found[stage.source] = self.bases.on_build(image)
        return found
