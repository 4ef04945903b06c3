# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Which names an image is to get, and from which images they are taken. Pure."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.image.names import Glob, ImageId, image_named
from ansible_collections.longshore.delivery.plugins.module_utils.node.held_images import HeldImage
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference


class TagError(DeliveryError):
    """Names that cannot be given."""


@dataclasses.dataclass(frozen=True)
class TagStep:
    """A name for an image.

    :param before: the ID of the image that has it; None if none does.
    """

    reference: Reference
    image_id: t.Optional[str]
    before: t.Optional[str]

    @property
    def changes(self) -> bool:
        return self.image_id is None or self.before != self.image_id

    @property
    def moves(self) -> bool:
        return self.changes and self.before is not None


def wanted_names(texts: t.Sequence[str]) -> t.List[Reference]:
    """The names to give, each once.

    :raises InvalidReference: one is none.
    :raises TagError: one has no tag, or a digest; or there is none.
    """
    names = list(dict.fromkeys(Reference.parse(text) for text in texts))
    for name in names:
        if name.tag is None or name.digest is not None:
            raise TagError(
                "references: %s has %s. Write a name with its tag, as in 'shop/web:1.4'; none is assumed."
                % (name, "no tag" if name.tag is None else "a digest")
            )
    if not names:
        raise TagError("references is empty: there is no name to give.")
    return names


def image_id_of(text: str, held: t.Sequence[HeldImage]) -> t.Optional[str]:
    """The ID of the image that is meant by an ID, by its first digits (12 or more), or by a reference; None if it is not there.

    :raises InvalidReference: it is neither.
    :raises InvalidSelection: it has neither tag nor digest.
    :raises TagError: several images are meant.
    """
    wanted = image_named("image", text)
    if isinstance(wanted, ImageId):
        found = {image.image_id for image in held if wanted.is_of(image.image_id)}
    else:
        found = {
            image.image_id
            for image in held
            if (wanted.tag is None or image.is_tagged(wanted)) and (wanted.digest is None or image.has(wanted))
        }
    if len(found) > 1:
        raise TagError("image: %s may be any of %s. Give the whole ID." % (text, ", ".join(sorted(found))))
    return next(iter(found), None)


def plan_tags(
    image_id: t.Optional[str],
    wanted: t.Sequence[Reference],
    held: t.Sequence[HeldImage],
    immutable: t.Sequence[Glob] = (),
) -> t.List[TagStep]:
    """A step for each name.

    :param image_id: of the image that is to have them; None where it is not there yet.
    :param immutable: patterns of names that no other image may take over.
    :raises TagError: such a name would move; all of them are named.
    """
    owners = {reference: image.image_id for image in held for reference in image.references if reference.tag}
    steps = [TagStep(name, image_id, owners.get(name)) for name in wanted]
    refuse_moves(steps, immutable)
    return steps


def refuse_moves(steps: t.Iterable[TagStep], immutable: t.Sequence[Glob]) -> None:
    """See that no name that may not move would.

    :raises TagError: one would; all of them are named.
    """
    refused = [step for step in steps if step.moves and any(glob.matches(step.reference) for glob in immutable)]
    if refused:
        moves = ", ".join("%s (which is %s)" % (step.reference, step.before) for step in refused)
        raise TagError(
            "By 'immutable' these names may not move to %s: %s. Give the image another name, or remove that one first."
            % (refused[0].image_id or "another image", moves)
        )
