# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What a node's engine lacks of the wanted images. No I/O."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.node.held_images import HeldImage
from ansible_collections.longshore.delivery.plugins.module_utils.reference import InvalidReference, Reference


@dataclasses.dataclass(frozen=True)
class PullStep:
    """One wanted image: whether it is to be pulled, and whether its tag is to be set."""

    wanted: Reference
    pull: bool
    tag: bool

    @property
    def changes(self) -> bool:
        return self.pull or self.tag


def pinned(texts: t.Iterable[str]) -> t.Tuple[Reference, ...]:
    """The references, each once.

    :raises InvalidReference: one is none, or has no digest.
    """
    references = tuple(dict.fromkeys(Reference.parse(text) for text in texts))
    for reference in references:
        if reference.digest is None:
            raise InvalidReference(
                "The image %s is not pinned: on every node it could be another. Write its digest, as in %s@sha256:..., which "
                "image_push returns as 'reference'." % (reference, reference.name)
            )
    return references


def plan_pull(wanted: t.Iterable[Reference], held: t.Sequence[HeldImage], engine_tags: bool) -> t.Tuple[PullStep, ...]:
    """Compare what is wanted with what is there.

    :param engine_tags: whether the engine can set a tag on an image that it holds; the CRI cannot.
    """
    steps = []
    for reference in wanted:
        there = [image for image in held if image.has(reference)]
        tagged = not engine_tags or any(image.is_tagged(reference) for image in there)
        steps.append(PullStep(reference, pull=not there, tag=not tagged and reference.tag is not None))
    return tuple(steps)
