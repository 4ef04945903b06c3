# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""A Dockerfile with labels as its target's last instruction.

Buildah takes C(--label) for no part of what it caches: an image that comes from its cache as a whole has the labels of the
build that made it (seen with 1.28). What is an instruction it compares.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.dockerfile import Dockerfile


def with_labels(content: bytes, dockerfile: Dockerfile, target: int, labels: t.Mapping[str, str]) -> bytes:
    """
    :param content: the Dockerfile's.
    :param dockerfile: the same as read.
    :param target: the number of the stage that is built, from 0.
    :raises ValueError: a label has a line break, which no instruction can hold.
    """
    broken = next((name for name, value in labels.items() if re.search(r"[\r\n]", name + value)), None)
    if broken is not None:
        raise ValueError(broken)
    pairs = " ".join(
        "%s=%s" % (_quoted(name, dockerfile.escape), _quoted(value, dockerfile.escape))
        for name, value in sorted(labels.items())
    )
    instruction = ("LABEL %s\n" % pairs).encode("utf-8", "surrogateescape")
    starts = [found.line for found in dockerfile.instructions if found.keyword == "FROM"]
    lines = content.split(b"\n")
    end = starts[target + 1] - 1 if target + 1 < len(starts) else len(lines)
    return b"\n".join([*lines[:end], instruction + b"\n".join(lines[end:])])


def _quoted(text: str, escape: str) -> str:
    return '"%s"' % re.sub(r'["$%s]' % re.escape(escape), lambda found: escape + found.group(), text)
