# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Whether two builds of the same inputs give the same image, and if not, why: by building a second time, without the cache."""

from __future__ import annotations

import dataclasses
import time
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.builder import (
    Builder,
    BuildRequest,
    Show,
)
from ansible_collections.longshore.delivery.plugins.module_utils.build.output import Work
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.image import Image
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.stages import Stage

_NEXT_SECOND = 1.0  # times in layers are in whole seconds
_MAKES_A_LAYER = ("RUN", "COPY", "ADD")


def reproduced(
    work: Work, builder: Builder, request: BuildRequest, image: Image, target: Stage, is_whole: bool, show: Show
) -> t.Dict[str, t.Any]:
    """Build once more and compare. The second image is not kept.

    :param image: the first.
    :param target: the stage that was built.
    :param is_whole: whether what is shown of an image tells all that can differ.
    :returns: the result's C(reproducible).
    """
    if builder.no_epoch:
        return {"same": False, "why_not": [builder.no_epoch]}
    show("building it a second time, to see whether the same comes out")
    time.sleep(_NEXT_SECOND)  # what is made in the same second has the same time
    built = work.build(
        builder, dataclasses.replace(request, no_cache=True, cache_from=(), cache_to=None), lambda line: None
    )
    second = work.image(built.image_id) if built.image_id else None
    if second is None:
        return {"same": False, "why_not": ["the second build failed: %s" % (built.said or "see its log")]}
    if second.id != image.id and not second.references:
        work.drop(second.id)
    if image.id == second.id or (is_whole and image.is_same_as(second)):
        return {"same": True, "why_not": []}
    return {"same": False, "why_not": differences(image, second, target, request.path)}


def differences(image: Image, second: Image, target: Stage, dockerfile: str) -> t.List[str]:
    """What differs between two builds, layer by layer, with the instruction that made it where that can be told."""
    count = len(image.layers)
    if count != len(second.layers):
        return ["one has %d layers, the other %d" % (count, len(second.layers))]
    made = [found for found in target.instructions if found.keyword in _MAKES_A_LAYER]
    is_plain = len(made) <= count and not any(found.keyword == "WORKDIR" for found in target.instructions)
    found = []
    for number, (one, other) in enumerate(zip(image.layers, second.layers)):
        if one == other:
            continue
        text = "layer %d of %d differs" % (number + 1, count)
        position = number - (count - len(made))
        if is_plain and position >= 0:
            text += ": %s, line %d, %s" % (dockerfile, made[position].line, made[position])
        found.append(text + ". What it made has the time of the build, or what it ran does not do the same twice")
    return found or ["the layers are the same, and what describes them differs"]
