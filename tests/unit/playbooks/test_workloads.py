# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role workload over a list: what one workload's failure means for the others."""

from __future__ import annotations

from pathlib import Path

from tests.kubeconfig import kubeconfig

from .running import Playbooks, on

WORKLOADS = [{"name": name, "image": f"registry.example/shop/{name}:1.0", "pin": False} for name in ("api", "web")]


def test_one_that_fails_does_not_keep_the_next_from_being_tried(playbooks: Playbooks, tmp_path: Path) -> None:
    status, output = playbooks.run(
        [on("localhost", roles=["longshore.delivery.workload"])],
        workload_list=WORKLOADS,
        workload_kubeconfig=kubeconfig(tmp_path, "http://127.0.0.1:9"),
    )
    assert status != 0, output
    assert "The cluster at http://127.0.0.1:9 cannot be reached" in output
    failed = [item["name"] for item in WORKLOADS if f"failed: [localhost] (item={item['name']})" in output]
    assert failed == ["api", "web"]
