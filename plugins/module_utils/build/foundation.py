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
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference


class Foundation:
    """What is known of it without a build: ONBUILD instructions are, of the images that the engine holds, or that a registry was
    asked about.

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
        # of those that are to be pulled, as far as it is known
        self._served: t.Dict[str, t.Optional[t.Tuple[str, ...]]] = {}
        self._arrange()

    def look(self) -> t.Dict[str, str]:
        """The image IDs of the bases that the engine holds now, by reference, those that an ONBUILD instruction names as well.

        :raises DeliveryError: an instruction of theirs, or an argument, cannot be.
        """
        held = self._held()
        self._check()
        return held

    def look_for_newer(self, asks: bool) -> t.Tuple[t.Dict[str, str], t.Tuple[BaseImage, ...]]:
        """Likewise, with those whose registries serve another image, whose ONBUILD instructions are not those of the one held.

        :param asks: whether registries are asked.
        :raises DeliveryError: as above, or a registry does not answer.
        """
        held = self._held()
        outdated = self.bases.outdated(asks)
        if outdated:
            self._served.update((str(base.reference), None) for base in outdated)
            held = self._held()
        self._check()
        return held, outdated

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

        def pull(base: BaseImage) -> None:
            show("pulling the base image %s" % base.reference)
            self.bases.pull(base)
            self._served.pop(str(base.reference), None)

        return self._with_those_they_name(bases, pull)

    def foresee(self, bases: t.Sequence[BaseImage]) -> t.Tuple[BaseImage, ...]:
        """What C(pull) would fetch, and what of it would be refused, as far as registries tell.

        :raises DeliveryError: one cannot be pulled, or an instruction of theirs cannot be.
        """

        def read(base: BaseImage) -> None:
            digest = self.bases.served(base)
            if digest and self._starts_a_stage(base):
                self._served[str(base.reference)] = self._triggers_served(base, digest)

        return self._with_those_they_name(bases, read)

    @property
    def is_known(self) -> bool:
        """Whether the engine was seen to hold every image that a stage starts from, and tells their ONBUILD instructions."""
        return None not in self._on_build().values()

    def _with_those_they_name(
        self, bases: t.Sequence[BaseImage], have: t.Callable[[BaseImage], None]
    ) -> t.Tuple[BaseImage, ...]:
        had: t.Dict[str, BaseImage] = {}
        waiting = list(bases)
        while waiting:
            for base in waiting:
                have(base)
                had[str(base.reference)] = base
            held = self.look()
            waiting = [base for base in self.bases.absent(held) if str(base.reference) not in had]
        return tuple(had.values())

    def _triggers_served(self, base: BaseImage, digest: str) -> t.Optional[t.Tuple[str, ...]]:
        # here, as everything that a run without changes does not need
        from ansible_collections.longshore.delivery.plugins.module_utils.build.served_triggers import served_triggers

        platform = (*self._wanted.platforms, "")[0] or self._engine.platform_arguments()["TARGETPLATFORM"]
        return served_triggers(base.reference, digest, platform, self._engine.bases.login(base.reference))

    def _held(self) -> t.Dict[str, str]:
        held = self.bases.held()
        triggers = {source: found for source, found in self._on_build().items() if found}
        if triggers != self._triggers:
            self._triggers = triggers
            self._arrange()
            held = self.bases.held()
        return held

    def _check(self) -> None:
        wanted, definition = self._wanted, self._definition
        definition.check_instructions(wanted.args)
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
        """By what a FROM calls an image its ONBUILD instructions; None where nobody tells them."""
        found: t.Dict[str, t.Optional[t.Tuple[str, ...]]] = {}
        for source, image in self._starts():
            name = str(image)
            found[source] = self._served[name] if name in self._served else self.bases.on_build(image)
        return found

    def _starts_a_stage(self, base: BaseImage) -> bool:
        return any(image == base.reference for _source, image in self._starts())

    def _starts(self) -> t.Iterator[t.Tuple[str, Reference]]:
        """What a FROM calls an image, and the image."""
        for stages in self._of_platforms:
            for stage in stages:
                image = None if source_stage(stages, stage, stage.source) else named_image(stage.source, self._contexts)
                if image is not None:
                    yield stage.source, image
