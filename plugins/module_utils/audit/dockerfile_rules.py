# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Rules for the Dockerfile itself: what it says of an image's base, which an image does not remember."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.audit.finding import Finding
from ansible_collections.longshore.delivery.plugins.module_utils.audit.runtime_rules import unpinned_base
from ansible_collections.longshore.delivery.plugins.module_utils.build.dockerfile import InvalidDockerfile, parse
from ansible_collections.longshore.delivery.plugins.module_utils.build.stages import base_images, stages_of
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError


def dockerfile_findings(path: str) -> t.List[Finding]:
    """The bases without a digest; none where a base is known with the build's arguments alone, or the file cannot be built.

    :raises DeliveryError: it cannot be read.
    """
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, ValueError) as error:
        raise DeliveryError("The Dockerfile %s cannot be read: %s. Correct 'dockerfile'." % (path, error)) from None
    try:
        dockerfile = parse(text, path)
        stages = stages_of(dockerfile, {})
        bases = base_images(stages, stages, path)
    except InvalidDockerfile:
        return []  # what is wrong with it is for a linter or the build to say
    found = []
    for base in bases:
        if base.reference.digest is None:
            unpinned = unpinned_base(str(base.reference))
            found.append(
                dataclasses.replace(unpinned, what="the Dockerfile's line %d: %s" % (base.line, unpinned.what))
            )
    return found
