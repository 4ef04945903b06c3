# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Whether two states of an object differ, and how that is shown without what the server keeps for itself and without secrets."""

from __future__ import annotations

import copy
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.workload.release import Json

_SERVERS_OWN = ("managedFields", "resourceVersion", "uid", "creationTimestamp", "generation", "selfLink")
_OTHERS_OWN = (
    "deployment.kubernetes.io/revision",  # written by the Deployment controller, any time after an apply
    "kubectl.kubernetes.io/last-applied-configuration",  # kubectl's whole copy of the object, a Secret's data included
)
SAME_SECRET = "(secret)"
OTHER_SECRET = "(secret, changed)"


def content(item: t.Optional[Json]) -> Json:
    """An object without its status and what the server, a controller or kubectl keeps in it; an empty one for None."""
    if item is None:
        return {}
    result = {key: copy.deepcopy(value) for key, value in item.items() if key not in ("status", "metadata")}
    metadata = {key: copy.deepcopy(value) for key, value in item["metadata"].items() if key not in _SERVERS_OWN}
    annotations = {
        key: value for key, value in (metadata.pop("annotations", None) or {}).items() if key not in _OTHERS_OWN
    }
    if annotations:
        metadata["annotations"] = annotations
    return {**result, "metadata": metadata}


def owned_fields(item: t.Optional[Json], manager: str) -> t.Any:
    """The fields that a manager owns by apply, as the server writes them (FieldsV1); None for none."""
    for entry in (item or {}).get("metadata", {}).get("managedFields") or []:
        if entry.get("manager") == manager and entry.get("operation") == "Apply" and not entry.get("subresource"):
            return entry.get("fieldsV1")
    return None


def differs(before: t.Optional[Json], after: Json, manager: str) -> bool:
    """Whether an apply changes anything: the object's content, or which of its fields are owned."""
    return content(before) != content(after) or owned_fields(before, manager) != owned_fields(after, manager)


def shown(before: t.Optional[Json], after: t.Optional[Json]) -> t.Dict[str, t.Any]:
    """One entry of a task's diff."""
    one = before or after or {}
    header = "%s %s" % (one.get("kind"), one.get("metadata", {}).get("name"))
    left, right = content(before), content(after)
    if one.get("kind") == "Secret":
        _mask(left, right)
    return {"before_header": header, "after_header": header, "before": left, "after": right}


def _mask(before: Json, after: Json) -> None:
    """Leave of both states of a Secret the names alone of its data, and of its annotations: others may copy data into those."""
    for old, new, field in (
        (before, after, "data"),
        (before, after, "stringData"),
        (before.get("metadata", {}), after.get("metadata", {}), "annotations"),
    ):
        left, right = old.get(field) or {}, new.get(field) or {}
        if left:
            old[field] = dict.fromkeys(left, SAME_SECRET)
        if right:
            new[field] = {
                key: OTHER_SECRET if key in left and left[key] != value else SAME_SECRET for key, value in right.items()
            }
