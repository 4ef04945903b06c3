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
# written by the Deployment controller, any time after an apply
_CONTROLLERS_OWN = ("deployment.kubernetes.io/revision",)
SAME_SECRET = "(secret)"
OTHER_SECRET = "(secret, changed)"


def content(item: t.Optional[Json]) -> Json:
    """An object without its status and what the server or a controller writes; an empty one for None."""
    if item is None:
        return {}
    result = {key: copy.deepcopy(value) for key, value in item.items() if key not in ("status", "metadata")}
    metadata = {key: copy.deepcopy(value) for key, value in item["metadata"].items() if key not in _SERVERS_OWN}
    annotations = {
        key: value for key, value in (metadata.pop("annotations", None) or {}).items() if key not in _CONTROLLERS_OWN
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
        left, right = _masked(left, right)
    return {"before_header": header, "after_header": header, "before": left, "after": right}


def _masked(before: Json, after: Json) -> t.Tuple[Json, Json]:
    before, after = dict(before), dict(after)
    for field in ("data", "stringData"):
        old, new = before.get(field) or {}, after.get(field) or {}
        if old:
            before[field] = dict.fromkeys(old, SAME_SECRET)
        if new:
            after[field] = {
                key: OTHER_SECRET if key in old and old[key] != value else SAME_SECRET for key, value in new.items()
            }
    return before, after
