# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Whether an image that records inputs is the one that was built from them, or one that others made from it by FROM or C(commit):
that has its labels, and a longer history.

Buildah writes the labels as the last instruction, the classic builder each as one, in the order of their names. BuildKit writes
them into no instruction, and an entry for each of the Dockerfile's but FROM and ONBUILD (seen with Docker 20.10 and 26.1, in both
stores).
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.builder import BuildEngine
from ansible_collections.longshore.delivery.plugins.module_utils.build.plan import Observed
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.image import Image
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.stages import (
    Stage,
    source_stage,
    with_latest,
)
from ansible_collections.longshore.delivery.plugins.module_utils.image.recorded_inputs import (
    DETAIL_LABEL,
    DIGEST_LABEL,
    OWN_LABELS,
)
from ansible_collections.longshore.delivery.plugins.module_utils.reference import InvalidReference, Reference

_NO_ENTRY = ("FROM", "ONBUILD")


def told_apart(
    observed: Observed, engine: BuildEngine, stages: t.Sequence[Stage], labels: t.Iterable[str], *more: Image
) -> Observed:
    """What was observed, with what histories tell of images that record the inputs and that this controller has not noted.

    :param stages: that are needed, the one that is built as the last.
    :param labels: the names of those that the build gives beside its own.
    :param more: images beside those of the wanted names.
    """
    noted = observed.noted.id if observed.noted else ""
    found = {image.id for image in (*observed.images.values(), *more) if image and observed.records(image)} - {noted}
    if not found:
        return observed
    descent = descent_of(stages)
    base = _base_entries(descent[-1].source, observed, engine)
    digest = observed.inputs.digest
    later = sum(name > DIGEST_LABEL for name in {*labels, *OWN_LABELS})
    others = {one for one in found if is_of_others(engine.instructions(one), base, descent, digest, later)}
    return dataclasses.replace(observed, others=frozenset(others))


def descent_of(stages: t.Sequence[Stage]) -> t.List[Stage]:
    """The last stage, the one that it comes from, and so on."""
    found = [stages[-1]]
    while True:
        source = source_stage(stages, found[-1], found[-1].source)
        if source is None:
            return found
        found.append(source)


def is_of_others(
    history: t.Sequence[str], base_entries: t.Optional[int], descent: t.Sequence[Stage], digest: str, later: int
) -> bool:
    """
    :param history: the instructions of the image, the newest first.
    :param base_entries: how many there are of the image that the build starts from; None where that is not known.
    :param descent: the stages that make the image.
    :param digest: of the inputs that the image records.
    :param later: how many labels follow that which has it.
    """
    recorded = [place for place, text in enumerate(history) if DIGEST_LABEL in text and digest in text]
    if recorded:
        return recorded[0] > (0 if DETAIL_LABEL in history[recorded[0]] else later)
    if base_entries is None:
        return False
    own = [found for stage in descent for found in stage.instructions if found.keyword not in _NO_ENTRY]
    return len(history) > base_entries + len(own)


def _base_entries(source: str, observed: Observed, engine: BuildEngine) -> t.Optional[int]:
    if source == "scratch":
        return 0
    try:
        name = str(with_latest(Reference.parse(source)))
    except InvalidReference:
        return None
    # one that the engine does not hold, or a named context, is known by nothing
    return len(engine.instructions(name)) or None if name in observed.inputs.bases else None
