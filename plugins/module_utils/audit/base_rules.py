# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Rules for what an image stands on: as its labels say it, as the collection recorded it, as its Dockerfile says it."""

from __future__ import annotations

import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.audit.finding import Finding, finding
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.dockerfile import (
    InvalidDockerfile,
    is_own_syntax,
    parse,
)
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.stages import (
    base_images,
    stages_of,
    with_latest,
)
from ansible_collections.longshore.delivery.plugins.module_utils.image.recorded_inputs import recorded_bases
from ansible_collections.longshore.delivery.plugins.module_utils.reference import InvalidReference, Reference

BASE_NAME = "org.opencontainers.image.base.name"  # OCI image specification 1.1, "Pre-Defined Annotation Keys"
BASE_DIGEST = "org.opencontainers.image.base.digest"


def bases_of_dockerfile(path: str) -> t.Dict[str, int]:
    """The images that a Dockerfile starts or copies from, each with the first line that names it; none where one is known with
    the build's arguments alone, or the file cannot be built: that is for a linter or the build to say.

    :raises DeliveryError: it cannot be read.
    """
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, ValueError) as error:
        raise DeliveryError("The Dockerfile %s cannot be read: %s. Correct 'dockerfile'." % (path, error)) from None
    try:
        stages = stages_of(parse(text, path), {})
        return {str(base.reference): base.line for base in base_images(stages, stages, path)}
    except InvalidDockerfile:
        return {}


def base_findings(labels: t.Mapping[str, str], written: t.Mapping[str, int]) -> t.Iterator[Finding]:
    """The bases that are named without a digest, each once.

    :param labels: the image's.
    :param written: those of its Dockerfile, with their lines.
    """
    named = dict.fromkeys(written)
    named.update(dict.fromkeys(name for name in recorded_bases(labels) if not is_own_syntax(name)))
    label = labels.get(BASE_NAME)
    if label and not labels.get(BASE_DIGEST):
        named[_in_full(label)] = None
    for name in named:
        if "@" not in name:
            place = "the Dockerfile's line %d: " % written[name] if name in written else ""
            tag = name.rpartition("/")[2].partition(":")[2]
            by = "whatever is latest" if tag == "latest" else "named without a digest"
            yield finding(
                "unpinned_base",
                "%sits base %s is %s" % (place, name, by),
                "FROM with a tag and the digest (image:tag@sha256:...)",
            )


def _in_full(name: str) -> str:
    try:
        return str(with_latest(Reference.parse(name)))
    except InvalidReference:
        return name
