# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Why each node does not take a pod, as far as its own fields tell it; the scheduler names numbers of nodes, not nodes."""

from __future__ import annotations

import decimal
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.workload.quantities import quantity
from ansible_collections.longshore.delivery.plugins.module_utils.workload.release import Json


def refusals(pod: Json, nodes: t.Iterable[Json]) -> t.List[str]:
    """One clause for each node: cordoned, not ready, tainted, or too small even when empty; else that it is full or unfit."""
    return ["%s %s" % (node["metadata"]["name"], ", ".join(_reasons(pod, node))) for node in nodes]


def _reasons(pod: Json, node: Json) -> t.List[str]:
    spec, status = node.get("spec") or {}, node.get("status") or {}
    reasons = []
    if spec.get("unschedulable"):
        reasons.append("is cordoned")
    if not any(item["type"] == "Ready" and item["status"] == "True" for item in status.get("conditions") or []):
        reasons.append("is not ready")
    tolerations = pod["spec"].get("tolerations") or []
    for taint in spec.get("taints") or []:
        own = taint["key"].startswith("node.kubernetes.io/")  # what is said by the two above
        if taint.get("effect") in ("NoSchedule", "NoExecute") and not own and not _tolerated(taint, tolerations):
            value = "=%s" % taint["value"] if taint.get("value") else ""
            reasons.append("has the taint %s%s:%s" % (taint["key"], value, taint["effect"]))
    asked, room = _requests(pod), status.get("allocatable") or {}
    for name, amount in sorted(asked.items()):
        if name in room and amount > quantity(room[name]):
            reasons.append("has %s %s of the %s asked for" % (room[name], name, _short(amount, name)))
    return reasons or ["has too little left, or the pod's rules keep it away"]


def _requests(pod: Json) -> t.Dict[str, decimal.Decimal]:
    """What the pod asks for in all; native sidecars run beside the others, so that theirs adds up."""
    total: t.Dict[str, decimal.Decimal] = {}
    containers = [
        *pod["spec"]["containers"],
        *(item for item in pod["spec"].get("initContainers") or [] if item.get("restartPolicy") == "Always"),
    ]
    for container in containers:
        for name, amount in ((container.get("resources") or {}).get("requests") or {}).items():
            total[name] = total.get(name, decimal.Decimal(0)) + quantity(str(amount))
    return total


def _short(amount: decimal.Decimal, name: str) -> str:
    if name == "memory":
        return "%dMi" % (amount / 1024**2)
    return format(amount.normalize(), "f")


def _tolerated(taint: t.Mapping[str, t.Any], tolerations: t.Iterable[t.Mapping[str, t.Any]]) -> bool:
    for item in tolerations:
        if item.get("effect") not in (None, "", taint["effect"]):
            continue
        if item.get("operator") == "Exists" and item.get("key") in (None, "", taint["key"]):
            return True
        if item.get("key") == taint["key"] and (item.get("value") or "") == (taint.get("value") or ""):
            return True
    return False
