# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The paragraph."""

from __future__ import annotations

import dataclasses

from ansible_collections.longshore.delivery.plugins.module_utils.workload.diagnosis import explain, last_lines
from ansible_collections.longshore.delivery.plugins.module_utils.workload.suspicion import Cause

CRASH = Cause(
    "crash", "has ended twice, last with exit code 78", "Correct what its log tells of", "web-1", "web", False, "n1"
)


def test_thing_place_cause_and_way_out() -> None:
    found = explain("web", "shop", dataclasses.replace(CRASH, logs="present"), "starting\n\nno DB_PASSWORD\n", 3)
    assert found.text == (
        "Workload web in namespace shop does not come up: pod web-1 on node n1: container web has ended twice, last with exit "
        "code 78. Correct what its log tells of. 3 earlier pods go on serving. The container's last log lines:\n"
        "  starting\n  no DB_PASSWORD"
    )
    assert found.facts["log"] == ["starting", "no DB_PASSWORD"]
    assert (found.facts["kind"], found.facts["node"], found.facts["earlier_pods_serving"]) == ("crash", "n1", 3)


def test_a_pod_without_a_node_and_nobody_who_serves() -> None:
    cause = Cause("unschedulable", "no node takes it: 2 Insufficient cpu", "Ask for less", "web-1")
    text = explain("web", "shop", cause, "", 0, ["cp is cordoned", "n1 has 2 cpu of the 64 asked for"]).text
    assert text.endswith(
        "pod web-1: no node takes it: 2 Insufficient cpu. Node by node: cp is cordoned; n1 has 2 cpu of the 64 asked for. "
        "Ask for less. No earlier pod serves."
    )


def test_a_silent_container_is_said_to_be_silent() -> None:
    assert "has logged nothing" in explain("web", "shop", dataclasses.replace(CRASH, logs="present"), "\n", 1).text
    assert "logged" not in explain("web", "shop", CRASH, "", 1).text


def test_a_sidecar_is_called_one() -> None:
    assert "sidecar web has ended" in explain("web", "shop", dataclasses.replace(CRASH, sidecar=True), "", 1).text


def test_logs_are_bounded() -> None:
    lines = last_lines("\n".join(str(number) * 400 for number in range(10, 40)))
    assert len(lines) == 10
    assert max(len(line) for line in lines) == 303
    assert lines[-1].startswith("3939")
