# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What the result of image_build says of an image, and diff mode of what changes. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.plan import Observed, input_differences
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.image import Image
from ansible_collections.longshore.delivery.plugins.module_utils.image.tag_plan import TagStep


def digests_of(image: t.Optional[Image]) -> t.Dict[str, t.Optional[str]]:
    """The digests of an image by their kinds, as far as the place where it is tells them; none of one that is to be built."""
    digests = getattr(image, "digests", None)  # of one in a layout or a registry
    return {
        "config_digest": image.config_digest if image else None,
        "manifest_digest": str(digests.manifest) if digests and digests.manifest else None,
        "index_digest": str(digests.index) if digests and digests.index else None,
    }


def diff(observed: t.Optional[Observed], names: t.Sequence[TagStep], image: t.Optional[Image]) -> t.Dict[str, str]:
    before: t.List[str] = []
    after: t.List[str] = []
    for found in input_differences(observed) if observed else ():
        for lines, value in ((before, found.before), (after, found.after)):
            if value is not None:
                lines.append("%s: %s\n" % (" ".join(filter(None, (found.kind, found.name))), value))
    for naming in names:
        if naming.before:
            before.append("%s: %s\n" % (naming.reference, naming.before))
        after.append("%s: %s\n" % (naming.reference, image.id if image else "(to be built)"))
    return {"before": "".join(before), "after": "".join(after)}
