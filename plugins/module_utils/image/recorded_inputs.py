# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The labels by which an image that the collection built says what it was built from. An image that stands on it has them too."""

from __future__ import annotations

import json
import typing as t

DIGEST_LABEL = "delivery.longshore.inputs"
DETAIL_LABEL = "delivery.longshore.inputs.detail"
OWN_LABELS = (DIGEST_LABEL, DETAIL_LABEL)


def recorded_detail(labels: t.Mapping[str, str]) -> t.Dict[str, t.Any]:
    """By kind of input what is recorded of it; empty where that is not there or not the collection's."""
    try:
        detail = json.loads(labels.get(DETAIL_LABEL) or "{}")
    except ValueError:
        return {}
    return detail if isinstance(detail, dict) else {}


def recorded_bases(labels: t.Mapping[str, str]) -> t.Dict[str, str]:
    """The IDs of the images that it was built from, by reference; that by which BuildKit read the Dockerfile is among them."""
    bases = recorded_detail(labels).get("bases")
    return {str(name): str(image_id) for name, image_id in bases.items()} if isinstance(bases, dict) else {}
