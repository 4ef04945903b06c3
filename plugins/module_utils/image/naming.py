# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Giving names to an image, all of them or none, and seeing that it has them."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.image.tag_plan import TagError, TagStep
from ansible_collections.longshore.delivery.plugins.module_utils.node.client import EngineRefusal
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference


def give_names(
    image_id: str,
    steps: t.Sequence[TagStep],
    name: t.Callable[[str, Reference], None],
    unname: t.Optional[t.Callable[[Reference], None]],
) -> None:
    """Give the names. Should one fail, those before it are put back where they were.

    :param steps: those that change something.
    :param name: names an image; the name is taken from whatever image has it.
    :param unname: takes a name away, and the image with its last one; None leaves a name that no image had before.
    """
    done: t.List[TagStep] = []
    try:
        for step in steps:
            name(image_id, step.reference)
            done.append(step)
    except BaseException:
        for step in reversed(done):
            with contextlib.suppress(EngineRefusal, DeliveryError):  # the first failure is the one to tell
                if step.before is not None:
                    name(step.before, step.reference)
                elif unname is not None:
                    unname(step.reference)
        raise


def check_names(
    image_id: str,
    steps: t.Sequence[TagStep],
    holder: t.Callable[[Reference], t.Optional[str]],
    where: str,
    told: t.Optional[t.Mapping[str, t.Any]] = None,
) -> None:
    """See that the image has the names that it was given.

    :param holder: tells the ID of the image that has a name.
    :param where: the engine, for the message, and what its result says of it.
    :raises TagError: it has not.
    """
    lost = [str(step.reference) for step in steps if holder(step.reference) != image_id]
    if lost:
        raise TagError(
            "%s took the names, and afterwards %s is not the image %s. Another process may have moved it."
            % (where, ", ".join(lost), image_id),
            **(told or {}),
        )
