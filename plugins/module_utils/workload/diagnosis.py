# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""One paragraph that says why a release does not come up: the thing, the place, the cause, the way out."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.workload.suspicion import Cause

LOG_LINES = 10
_LINE_LENGTH = 300


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """The paragraph, and the same for machines."""

    text: str
    facts: t.Mapping[str, t.Any]


def last_lines(log: str) -> t.List[str]:
    """The end of a log: at most LOG_LINES lines with something in them, each cut to a width that can be read."""
    lines = [line.rstrip() for line in log.splitlines() if line.strip()]
    return [line if len(line) <= _LINE_LENGTH else line[:_LINE_LENGTH] + "..." for line in lines[-LOG_LINES:]]


def explain(
    release: str, namespace: str, cause: Cause, log: str, serving: int, refusals: t.Sequence[str] = ()
) -> Diagnosis:
    """Write the paragraph.

    :param log: of the container that C(cause) names, as far as C(cause.logs) asks for it.
    :param serving: how many pods of the earlier revision are ready.
    :param refusals: for an unschedulable pod, what is known of each node.
    """
    parts = ["Workload %s in namespace %s does not come up:" % (release, namespace), _place(cause) + cause.text + "."]
    if refusals:
        parts.append("Node by node: %s." % "; ".join(refusals))
    parts += ["%s." % cause.remedy.rstrip("."), _serving(serving)]
    text = " ".join(parts)
    lines = last_lines(log)
    if lines:
        text += " The container's last log lines:\n" + "\n".join("  " + line for line in lines)
    elif cause.logs:
        text += " The container has logged nothing."
    facts = {
        "kind": cause.kind,
        "detail": cause.detail,
        "pod": cause.pod,
        "container": cause.container,
        "node": cause.node,
        "cause": cause.text,
        "remedy": cause.remedy,
        "log": lines,
        "earlier_pods_serving": serving,
    }
    return Diagnosis(text, facts)


def _place(cause: Cause) -> str:
    words = []
    if cause.pod:
        words.append("pod %s" % cause.pod)
    if cause.node:
        words.append("on node %s" % cause.node)
    place = " ".join(words) + (": " if words else "")
    if cause.container:
        place += "%s %s " % ("sidecar" if cause.sidecar else "container", cause.container)
    return place


def _serving(count: int) -> str:
    if not count:
        return "No earlier pod serves."
    return "%d earlier %s serving." % (count, "pod goes on" if count == 1 else "pods go on")
