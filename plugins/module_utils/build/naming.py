# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Giving an image of a build its names: at once, or when it has passed what it is judged by."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.bases import sentence
from ansible_collections.longshore.delivery.plugins.module_utils.build.find_engine import find_engine
from ansible_collections.longshore.delivery.plugins.module_utils.build.find_output import find_output
from ansible_collections.longshore.delivery.plugins.module_utils.build.last_build import LastBuild
from ansible_collections.longshore.delivery.plugins.module_utils.build.output import Output
from ansible_collections.longshore.delivery.plugins.module_utils.build.wanted import Wanted
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Context
from ansible_collections.longshore.delivery.plugins.module_utils.image.naming import check_names
from ansible_collections.longshore.delivery.plugins.module_utils.image.tag_plan import TagStep, refuse_moves
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference

Give = t.Callable[[str, t.Sequence[TagStep]], None]  # takes an image's ID and what is to name it


def name_image(
    output: Output,
    image_id: str,
    names: t.Sequence[TagStep],
    show: t.Callable[[str], None],
    give: t.Optional[Give] = None,
) -> t.List[t.Dict[str, t.Optional[str]]]:
    """Give an image its names and look them up again.

    :param names: those that change something.
    :param give: does it, where the image is not there yet.
    :returns: what the result says of them.
    """
    if names:
        (give or output.name)(image_id, names)
    check_names(image_id, names, lambda reference: _holder(output, reference), sentence(output.where))
    for naming in names:
        if naming.before:
            show("%s moved from %s to %s" % (naming.reference, short(naming.before), short(image_id)))
    return told(names, image_id)


def told(names: t.Iterable[TagStep], image_id: t.Optional[str]) -> t.List[t.Dict[str, t.Optional[str]]]:
    """What the result says of names.

    :param image_id: of the image that has them then; None of one that is to be built.
    """
    return [{"reference": str(naming.reference), "before": naming.before, "after": image_id} for naming in names]


def name_late(params: t.Mapping[str, t.Any], image_id: str, context: Context) -> t.Dict[str, t.Any]:
    """Give the image that a build with C(names_later) found or made its names.

    :param params: the build's.
    :returns: of the build's result what is known only now.
    :raises DeliveryError: it does not get them; each stays where it was.
    """
    wanted = Wanted.from_params(params)
    engine, _why = find_engine(wanted.engine, wanted.address, context.run_command, wanted.builder)
    with contextlib.closing(engine), contextlib.closing(find_output(wanted, engine, context)) as output:
        steps = [TagStep(name, image_id, _holder(output, name)) for name in wanted.references]
        names = [step for step in steps if step.changes]
        refuse_moves(names, wanted.immutable)
        named = name_image(output, image_id, names, lambda line: context.progress("%s: %s" % (wanted.name, line)))
        LastBuild.of(output.where, wanted).named(image_id)
    return {"named": named}


def _holder(output: Output, reference: Reference) -> t.Optional[str]:
    found = output.image(reference)
    return found.id if found else None


def short(image_id: str) -> str:
    """Enough of an ID to know it by."""
    return image_id.partition(":")[2][:12]
