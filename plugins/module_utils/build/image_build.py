# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""image_build: see that there is an image for exactly these inputs, under these names."""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.ancestry import told_apart
from ansible_collections.longshore.delivery.plugins.module_utils.build.bases import Bases, sentence
from ansible_collections.longshore.delivery.plugins.module_utils.build.build_cache import INLINE
from ansible_collections.longshore.delivery.plugins.module_utils.build.builder import (
    BuildEngine,
    BuildEngineError,
    Builder,
    BuildRequest,
    Built,
)
from ansible_collections.longshore.delivery.plugins.module_utils.build.definition import (
    Definition,
    check_secrets,
    check_ssh,
    read_definition,
)
from ansible_collections.longshore.delivery.plugins.module_utils.build.find_engine import find_engine
from ansible_collections.longshore.delivery.plugins.module_utils.build.find_output import find_output
from ansible_collections.longshore.delivery.plugins.module_utils.build.foundation import Foundation
from ansible_collections.longshore.delivery.plugins.module_utils.build.inputs import (
    Inputs,
    Recorded,
    differences,
    text_digest,
)
from ansible_collections.longshore.delivery.plugins.module_utils.build.last_build import LastBuild
from ansible_collections.longshore.delivery.plugins.module_utils.build.named_contexts import check_stages
from ansible_collections.longshore.delivery.plugins.module_utils.build.naming import Give, name_image, told
from ansible_collections.longshore.delivery.plugins.module_utils.build.output import ENGINE, Output
from ansible_collections.longshore.delivery.plugins.module_utils.build.plan import (
    Observed,
    Plan,
    make_plan,
    refuse_immutable,
)
from ansible_collections.longshore.delivery.plugins.module_utils.build.reproducible import reproduced
from ansible_collections.longshore.delivery.plugins.module_utils.build.result import diff, digests_of
from ansible_collections.longshore.delivery.plugins.module_utils.build.run_secrets import conceal
from ansible_collections.longshore.delivery.plugins.module_utils.build.source_revision import (
    REVISION,
    SOURCE,
    revision_labels,
)
from ansible_collections.longshore.delivery.plugins.module_utils.build.wanted import (
    ARGUMENT_SPEC,
    CONSTRAINTS,
    Wanted,
)
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Capability, Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.image import Image
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.stages import BaseImage, Stage, triggers_of
from ansible_collections.longshore.delivery.plugins.module_utils.image.tag_plan import TagStep
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference


class InputsChanged(DeliveryError):
    """Something changed while the image was built."""


def run(params: t.Dict[str, t.Any], context: Context) -> t.Dict[str, t.Any]:
    """The capability: observe, plan, apply, verify.

    :raises DeliveryError: anything that a user can act on.
    """
    wanted = Wanted.from_params(params)
    check_secrets(wanted.secrets)
    conceal(wanted.secrets, context)
    check_ssh(wanted.ssh)
    definition = read_definition(wanted.source, wanted.dockerfile, wanted.dockerfile_inline)
    engine, why = find_engine(wanted.engine, wanted.address, context.run_command, wanted.builder)
    with contextlib.closing(engine), contextlib.closing(find_output(wanted, engine, context)) as output:
        return _Delivery(wanted, definition, engine, output, context, why).run()


class _Delivery:
    def __init__(
        self,
        wanted: Wanted,
        definition: Definition,
        engine: BuildEngine,
        output: Output,
        context: Context,
        engine_reason: str,
    ) -> None:
        self.wanted = wanted
        self.engine = engine
        self.output = output
        self.engine_reason = engine_reason
        self.context = context
        self.last_build = LastBuild.of(output.where, wanted)
        self.definition = definition
        self.foundation = Foundation(wanted, definition, engine, context)
        check_stages(wanted.contexts, self.stages, definition.path)
        self.contexts = self.read_contexts()
        self.revision: t.Dict[str, str] = {}
        self.builder: t.Optional[Builder] = None

    def run(self) -> t.Dict[str, t.Any]:
        observed = self.observe()
        plan = make_plan(observed, self.wanted.rebuild)
        if self.wanted.pull_base == "never":
            self.bases.refuse(plan.pull)
        refuse_immutable(plan, self.wanted.immutable)
        if plan.build:
            self.builder = self.engine.builder(self.request({}))
            if self.wanted.source_revision:
                self.revision = revision_labels(self.definition.context.root, self.context.run_command)
        if self.context.check:
            plan = self.with_bases(plan, self.foundation.foresee)
            return self.result(observed, plan, plan.image, plan.names, plan.changes)
        if plan.build:
            return self.build(observed, plan)
        image = t.cast("Image", plan.image)
        self.name(image.id, plan.names, self.output.name)
        if not plan.reasons and (observed.last is None or observed.last.digest != observed.inputs.digest):
            self.last_build.note(observed.inputs, image)
        return self.result(observed, plan, image, plan.names, plan.changes)

    @property
    def stages(self) -> t.Tuple[Stage, ...]:
        return self.foundation.stages

    @property
    def bases(self) -> Bases:
        return self.foundation.bases

    def observe(self) -> Observed:
        images = {reference: self.output.image(reference) for reference in self.wanted.references}
        pull_base = self.wanted.pull_base
        held, outdated = self.foundation.look_for_newer(pull_base == "newer")
        observed = Observed(
            inputs=self.inputs(self.definition, held),
            images=images,
            absent_bases=self.bases.absent(held),
            last=self.last_build.inputs(),
            last_name=self.last_build.name,
            last_image=self.last_build.image(),
            outdated_bases=outdated,
            pull_base=pull_base,
            place=self.output.short,
        )
        observed = self.told_apart(observed)
        current = observed.current
        if observed.absent_bases and current is not None:
            inputs = observed.inputs.with_bases({**held, **self.foundation.assumed(current, observed.absent_bases)})
            observed = self.told_apart(dataclasses.replace(observed, inputs=inputs))
            current = observed.current
        if current is None or not observed.matches(current):
            observed = dataclasses.replace(observed, twin=self.twin(observed))
        return observed

    def read_contexts(self) -> t.Dict[str, str]:
        return {name: entry for named in self.wanted.contexts for name, entry in named.entries().items()}

    def inputs(
        self, definition: Definition, bases: t.Mapping[str, str], contexts: t.Optional[t.Dict[str, str]] = None
    ) -> Inputs:
        wanted, epoch = self.wanted, self.wanted.source_date_epoch
        return Inputs(
            {
                "context": definition.context.entries,
                "contexts": self.contexts if contexts is None else contexts,
                "dockerfile": {"Dockerfile": definition.digest},
                "args": {name: text_digest(value) for name, value in wanted.args.items()},
                "target": {"target": wanted.target} if wanted.target else {},
                "labels": {name: text_digest(value) for name, value in wanted.labels.items()},
                "secrets": {secret.id: "named" for secret in wanted.secrets},
                "ssh": {agent.id: "named" for agent in wanted.ssh},
                "extra_hosts": wanted.extra_hosts,
                "platforms": dict.fromkeys(wanted.platforms, "wanted"),
                "annotations": {name: text_digest(value) for name, value in wanted.annotations.items()},
                "provenance": {"provenance": wanted.provenance} if wanted.provenance else {},
                "sbom": {"sbom": str(wanted.sbom)} if wanted.sbom else {},
                "source_date_epoch": {} if epoch is None else {"source_date_epoch": str(epoch)},
                "bases": dict(bases),
            }
        )

    def twin(self, observed: Observed) -> t.Optional[Image]:
        """An image of this repository with these inputs, or the one that waits for its names; images of others inherit the label
        from their base.
        """
        digest = observed.inputs.digest
        for image in self.output.with_inputs(digest, self.last_build.made_of(digest)):
            own = any(Reference.parse(name).name == self.wanted.name for name in image.references)
            if own and self.told_apart(observed, image).matches(image):
                return image
        unnamed = self.last_build.unnamed()
        waiting = self.output.unnamed(unnamed) if unnamed else None
        return waiting if waiting and self.told_apart(observed, waiting).matches(waiting) else None

    def told_apart(self, observed: Observed, *more: Image) -> Observed:
        """With what histories tell, which engines show."""
        if self.output.kind != ENGINE:
            return observed
        revision = (REVISION, SOURCE) if self.wanted.source_revision else ()
        return told_apart(observed, self.engine, self.stages, {*self.wanted.labels, *revision}, *more)

    def build(self, observed: Observed, plan: Plan) -> t.Dict[str, t.Any]:
        """Pull what is missing, build without a name, see that the inputs are still the same, and name the result."""
        show, wanted = self.progress, self.wanted
        show("building, because %s" % "; ".join(plan.reasons))
        inputs = observed.inputs
        if plan.pull:
            plan = self.with_bases(plan, lambda bases: self.foundation.pull(bases, show))
            inputs = self.inputs(self.definition, self.bases.held())
        with self.output.work(inputs.digest) as work:
            request, builder = self.request(inputs.labels()), t.cast("Builder", self.builder)
            built = work.build(builder, request, show)
            if not built.image_id:
                from ansible_collections.longshore.delivery.plugins.module_utils.build.failure import failure

                raise failure(str(wanted.references[0]), self.definition, self.stages, built, wanted.contexts)
            self.warn_of_caches(built)
            image = self.verified(work.image(built.image_id), built.image_id, inputs)
            names = self.names_of(image, observed, plan)
            if names and wanted.names_later:
                work.keep(image.id)
            self.name(image.id, names, work.name)
            epoch, is_whole = wanted.source_date_epoch, self.is_whole
            again = None
            if epoch is not None:
                again = reproduced(work, builder, request, image, self.stages[-1], is_whole, show)
            later = bool(names) and wanted.names_later
            named = names[0].reference if names else wanted.references[0]
            held = work.image(image.id) if later else self.output.image(named)
            if held is not None and held.id != image.id and not image.references:
                work.drop(image.id)  # it is the same but for what attests it
            image = held or image
        self.note(inputs, image, later)
        result = self.result(observed, plan, image, names, bool(names or plan.pull), inputs)
        if again is not None:
            result["reproducible"] = again
        result["steps"] = [step.result for step in built.record.steps]
        result["log"] = list(built.record.log)
        return result

    def warn_of_caches(self, built: Built) -> None:
        lost = ["%s has none" % source for source in self.wanted.cache_from if source.is_missing]
        for cause in [*lost, *built.record.lost_caches]:
            self.context.warn("%s was built without the cache of 'cache_from': %s" % (self.wanted.name, cause))

    def with_bases(self, plan: Plan, have: t.Callable[[t.Sequence[BaseImage]], t.Tuple[BaseImage, ...]]) -> Plan:
        """The plan, with all that it turns out to pull.

        :raises DeliveryError: something cannot be pulled, or what it has carried out by ONBUILD cannot be.
        """
        before = triggers_of(self.stages)
        plan = dataclasses.replace(plan, pull=have(plan.pull))
        if triggers_of(self.stages) != before:
            self.builder = self.engine.builder(self.request({}))
        return plan

    def names_of(self, image: Image, observed: Observed, plan: Plan) -> t.Tuple[TagStep, ...]:
        """The names that an image is to get after a build: none where they all name the same image already, whose ID may be
        another where something attests it. What an engine shows of an image does not tell one that keeps its build's cache.
        """
        kept = self.wanted.cache_to
        whole = self.is_whole and (self.output.shows_whole or kept is None or kept.kind != INLINE)
        if whole and all(image.is_same_as(observed.images[step.reference]) for step in plan.names):
            return ()
        steps = (dataclasses.replace(step, image_id=image.id) for step in plan.names)
        return tuple(step for step in steps if step.changes)

    @property
    def is_whole(self) -> bool:
        """Whether what is shown of an image is all of its platforms."""
        return self.output.shows_whole or len(self.wanted.platforms) < 2

    def request(self, labels: t.Mapping[str, str]) -> BuildRequest:
        """:param labels: those that record the inputs."""
        wanted = self.wanted
        return BuildRequest(
            context=self.definition.context,
            path=self.definition.path,
            dockerfile=self.definition.dockerfile,
            inline=self.definition.inline,
            contexts=wanted.contexts,
            contexts_entries=self.contexts,
            args=wanted.args,
            target=wanted.target,
            target_index=self.stages[-1].index,
            labels={**self.revision, **wanted.labels, **labels},
            secrets=wanted.secrets,
            network=wanted.network,
            extra_hosts=wanted.extra_hosts,
            ssh=wanted.ssh,
            no_cache=wanted.no_cache,
            cache_from=tuple(source for source in wanted.cache_from if not source.is_missing),
            cache_to=wanted.cache_to,
            cache_login=wanted.cache_login,
            platforms=wanted.platforms,
            annotations=wanted.annotations,
            provenance=wanted.provenance,
            sbom=wanted.sbom,
            source_date_epoch=wanted.source_date_epoch,
            has_bases=bool(self.bases.names),
            triggers=triggers_of(self.stages),
            stays=self.output.kind == ENGINE,
        )

    def verified(self, image: t.Optional[Image], image_id: str, inputs: Inputs) -> Image:
        """See that the image is there and that it is of the inputs it says.

        :raises InputsChanged: a file or a base image changed or went away while it was built.
        """
        if image is None or Recorded.of(image.labels).digest != inputs.digest:
            raise BuildEngineError(
                "%s does not have the image %s that it built." % (sentence(self.engine.where), image_id)
            )
        bases = self.bases.held()
        try:
            definition = read_definition(self.wanted.source, self.wanted.dockerfile, self.wanted.dockerfile_inline)
            now = self.inputs(definition, bases, self.read_contexts())
        except DeliveryError as error:
            raise InputsChanged(
                "%s was not named, because its inputs changed while it was built: %s" % (self.wanted.name, error)
            ) from None
        if now.digest != inputs.digest:
            changed = ", ".join("%s %s" % (found.kind, found) for found in differences(inputs, now)[:8])
            raise InputsChanged(
                "%s was not named, because its inputs changed while it was built: %s. Run it again."
                % (self.wanted.name, changed)
            )
        return image

    def name(self, image_id: str, names: t.Sequence[TagStep], give: Give) -> None:
        """Give the image its names, unless that is to be done later."""
        if not self.wanted.names_later:
            name_image(self.output, image_id, names, self.progress, give)

    def note(self, inputs: Inputs, image: Image, waits: bool) -> None:
        """Note what was built, and take the image away that waited for its names before and did not get them.

        :param waits: whether this one is to get its names later.
        """
        before = self.last_build.unnamed()
        if before not in ("", image.id):
            with contextlib.suppress(DeliveryError):  # as where a container stands on it
                self.output.forget(before)
        if waits:
            self.last_build.note_unnamed(inputs, image)
        else:
            self.last_build.note(inputs, image)

    def result(
        self,
        observed: Observed,
        plan: Plan,
        image: t.Optional[Image],
        names: t.Sequence[TagStep],
        changed: bool,
        inputs: t.Optional[Inputs] = None,
    ) -> t.Dict[str, t.Any]:
        """The task's result; in check mode an image that would be built has no ID yet."""
        inputs = inputs or (None if plan.pull or self.bases.are_coming else observed.inputs)
        found: t.Dict[str, t.Any] = {
            "changed": changed,
            "built": plan.build,
            "engine": self.engine.name,
            "engine_reason": self.engine_reason,
            "image": {
                "references": [str(reference) for reference in self.wanted.references],
                "id": image.id if image else None,
                **digests_of(image),
            },
            "inputs": inputs.digest if inputs else None,
            "why": list(plan.reasons),
            "named": told(names, image.id if image else None),
            "pulled": [str(base.reference) for base in plan.pull],
        }
        if self.builder:
            found["builder"] = self.builder.name
        if self.revision:
            found["revision"] = self.revision[REVISION]
        if self.context.diff:
            found["diff"] = diff(observed if plan.build else None, names, image)
        return found

    def progress(self, line: str) -> None:
        self.context.progress("%s: %s" % (self.wanted.name, line))


CAPABILITY = Capability(run=run, argument_spec=ARGUMENT_SPEC, constraints=CONSTRAINTS, needs=("docker",))
