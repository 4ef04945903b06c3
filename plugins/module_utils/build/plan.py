# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What has to be done so that there is an image for exactly these inputs, under these names. Pure: no I/O here."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.inputs import (
    Difference,
    Inputs,
    Recorded,
    changed_kinds,
    differences,
    why_different,
)
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.image import Image
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.stages import BaseImage
from ansible_collections.longshore.delivery.plugins.module_utils.image.names import Glob
from ansible_collections.longshore.delivery.plugins.module_utils.image.tag_plan import TagError, TagStep, refuse_moves
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference


@dataclasses.dataclass(frozen=True)
class Observed:
    """What was seen.

    :param inputs: those of now; a base that the engine does not hold counts as the one the image was built on.
    :param images: what each wanted reference names now.
    :param twin: an image of the same repository, under another tag or waiting for its names, with the same inputs.
    :param absent_bases: base images that the engine does not hold.
    :param last: the inputs of the last build that is noted on this controller.
    :param last_name: what was built then: another tag of the repository where the wanted one is new.
    :param last_image: the image that came of it.
    :param others: the IDs of images that are known to have the labels from the one that was built.
    :param outdated_bases: base images whose registry serves another one than the engine holds.
    :param place: where the image is to be.
    :param pull_base: newer takes a base image that the engine does not hold for a newer one: what the image was built on
        cannot be compared with what a registry serves. Otherwise that is what it counts as.
    """

    inputs: Inputs
    images: t.Dict[Reference, t.Optional[Image]]
    twin: t.Optional[Image] = None
    absent_bases: t.Tuple[BaseImage, ...] = ()
    last: t.Optional[Inputs] = None
    outdated_bases: t.Tuple[BaseImage, ...] = ()
    pull_base: str = "missing"
    last_image: t.Optional[Image] = None
    place: str = "the engine"
    others: t.FrozenSet[str] = frozenset()
    last_name: str = ""

    @property
    def current(self) -> t.Optional[Image]:
        """The image that has these inputs, else the one to compare with: the first that any of the names has."""
        existing = [image for image in self.images.values() if image]
        return next((image for image in existing if self.matches(image)), existing[0] if existing else None)

    def matches(self, image: Image) -> bool:
        """Whether an image was built from these inputs. One that was made from it by C(docker commit) or FROM has its labels."""
        return self.records(image) and image.id not in self.others and not self.is_inherited(image)

    def records(self, image: Image) -> bool:
        return Recorded.of(image.labels).digest == self.inputs.digest

    @property
    def noted(self) -> t.Optional[Image]:
        """The image that was built from these inputs, if this controller noted it."""
        return self.last_image if self.last is not None and self.last.digest == self.inputs.digest else None

    def is_inherited(self, image: Image) -> bool:
        return self.noted is not None and image.is_made_from(self.noted)


@dataclasses.dataclass(frozen=True)
class Plan:
    """The steps, in this order.

    :param pull: base images to fetch.
    :param build: whether to build.
    :param image: the image that stays, where nothing is built.
    :param names: what is to be named; all names that differ, after a build those that the new image has not.
    :param reasons: why it is built, or kept in spite of a difference.
    """

    pull: t.Tuple[BaseImage, ...]
    build: bool
    image: t.Optional[Image]
    names: t.Tuple[TagStep, ...]
    reasons: t.Tuple[str, ...]

    @property
    def changes(self) -> bool:
        return self.build or bool(self.names)


def make_plan(observed: Observed, rebuild: str) -> Plan:
    """Decide.

    :param rebuild: auto builds when the inputs differ, always builds, never builds only where there is no image at all.
    """
    current = observed.current
    if current is None and observed.twin is None:
        names = ", ".join(map(str, observed.images))
        return _build(observed, ["there is no image %s in %s" % (names, observed.place), *_since_the_last(observed)])
    if rebuild == "always":
        return _build(observed, ["rebuild is always"])
    newer = _newer_bases(observed)
    if newer and rebuild == "auto":
        return _build(observed, newer)
    if current is not None and observed.matches(current):
        return _keep(observed, current, [])
    if observed.twin is not None:
        twin = ", ".join(observed.twin.references) or "the image that waits for its names"
        return _keep(observed, observed.twin, ["%s has the same inputs" % twin])
    reasons = _differences(observed, t.cast("Image", current))
    if rebuild == "never":
        return _keep(observed, t.cast("Image", current), ["not built, because rebuild is never", *reasons])
    return _build(observed, reasons)


def _since_the_last(observed: Observed) -> t.List[str]:
    """What changed since the last build that is noted, where there is no image to compare with."""
    if observed.last is None:
        return []
    recorded = Recorded.of(observed.last.labels())
    changed = why_different(recorded, _with_the_same_absent_bases(observed, observed.last), observed.last)
    return ["since the last build, of %s, %s" % (observed.last_name, "; ".join(changed))] if changed else []


def _with_the_same_absent_bases(observed: Observed, last: Inputs) -> Inputs:
    """The inputs of now, in which a base that the engine does not hold counts as the one of the last build."""
    absent = {str(base.reference) for base in observed.absent_bases}
    assumed = {name: image for name, image in last.bases.items() if name in absent}
    return observed.inputs.with_bases({**assumed, **observed.inputs.bases})


def _newer_bases(observed: Observed) -> t.List[str]:
    reasons = ["the registry has another base image %s" % base.reference for base in observed.outdated_bases]
    if observed.pull_base == "newer":
        reasons += [
            "the engine has no base image %s to compare with the registry's" % base.reference
            for base in observed.absent_bases
        ]
    return reasons


def _differences(observed: Observed, current: Image) -> t.List[str]:
    recorded = Recorded.of(current.labels)
    if not recorded.digest:
        return ["%s records no inputs: it was built by other means" % ", ".join(current.references or (current.id,))]
    if observed.records(current):
        return ["%s was made from the image of these inputs" % ", ".join(current.references or (current.id,))]
    return why_different(recorded, observed.inputs, observed.last)


def _build(observed: Observed, reasons: t.Sequence[str]) -> Plan:
    return Plan((*observed.outdated_bases, *observed.absent_bases), True, None, _names(observed, None), tuple(reasons))


def _keep(observed: Observed, image: Image, reasons: t.Sequence[str]) -> Plan:
    return Plan((), False, image, _names(observed, image.id), tuple(reasons))


def _names(observed: Observed, image_id: t.Optional[str]) -> t.Tuple[TagStep, ...]:
    found = ((reference, image.id if image else None) for reference, image in observed.images.items())
    steps = (TagStep(reference, image_id, before) for reference, before in found)
    return tuple(step for step in steps if step.changes)


def refuse_immutable(plan: Plan, immutable: t.Sequence[Glob]) -> None:
    """See that no name that may not move would. A build may bring forth the same image again, which nobody can know before:
    a name that an image has already is taken to move.

    :param immutable: patterns of names.
    :raises TagError: one would.
    """
    try:
        refuse_moves(plan.names, immutable)
    except TagError as error:
        because = " It would be built, because %s." % "; ".join(plan.reasons) if plan.build else ""
        raise TagError("%s%s" % (error, because)) from None


def input_differences(observed: Observed) -> t.List[Difference]:
    """What differs from the inputs of the image there is, or from those of the last build where there is none, for diff mode: by
    item where they are known, else by kind.
    """
    current = observed.current
    if current is None and observed.last is not None:
        return differences(observed.last, _with_the_same_absent_bases(observed, observed.last))
    recorded = Recorded.of(current.labels) if current else Recorded()
    if observed.last is not None and observed.last.digest == recorded.digest:
        return differences(observed.last, observed.inputs)
    return [
        Difference(kind, "", recorded.kinds.get(kind), observed.inputs.digests.get(kind))
        for kind in changed_kinds(recorded, observed.inputs)
    ]
