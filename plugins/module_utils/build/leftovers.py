# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What a build that did not come to its end leaves in an engine: an image without a name, which nobody would find."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.builder import BuildEngine
from ansible_collections.longshore.delivery.plugins.module_utils.build.inputs import DIGEST_LABEL
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError


@contextlib.contextmanager
def taken_away(engine: BuildEngine, digest: str) -> t.Iterator[None]:
    """When the body fails or is interrupted, take away the images of these inputs that it made and that have no name.

    An engine that does not answer any more keeps them.
    """
    before = {image.id for image in engine.labelled(DIGEST_LABEL, digest)}
    try:
        yield
    except BaseException:
        with contextlib.suppress(DeliveryError):
            for image in engine.labelled(DIGEST_LABEL, digest):
                if image.id not in before and not image.references:
                    engine.remove(image.id)
        raise
