# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What a build that did not come to its end leaves in an engine: an image without a name, which nobody would find."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.builder import BuildEngine
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.image.recorded_inputs import DIGEST_LABEL


class Made:
    """:ivar image_id: of the image that was built, once it is known."""

    image_id = ""


@contextlib.contextmanager
def taken_away(engine: BuildEngine, digest: str, always: bool = False) -> t.Iterator[Made]:
    """When the body fails or is interrupted, take away the image that it built, unless it has a name by now.

    :param always: also when it does not fail, as where the image is needed no longer.

    An engine that does not answer any more keeps it. An interruption may come before the image's ID is known: then every
    image of these inputs goes that has come meanwhile and has no name, and another run's that builds the same just then with it.
    """
    before = {image.id for image in engine.labelled(DIGEST_LABEL, digest)}
    made = Made()
    failed = unknown = False
    try:
        yield made
    except BaseException as error:
        failed, unknown = True, not made.image_id and not isinstance(error, Exception)
        raise
    finally:
        if failed or always:
            _take(engine, digest, before, made, unknown)


def _take(engine: BuildEngine, digest: str, before: t.Set[str], made: Made, unknown: bool) -> None:
    with contextlib.suppress(DeliveryError):
        for image in engine.labelled(DIGEST_LABEL, digest):
            own = unknown or image.id == made.image_id
            if own and image.id not in before and not image.references:
                engine.remove(image.id)
