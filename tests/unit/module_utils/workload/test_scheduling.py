# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why each node does not take a pod."""

from __future__ import annotations

import decimal
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.workload.quantities import quantity
from ansible_collections.longshore.delivery.plugins.module_utils.workload.scheduling import refusals


def node(name: str, ready: str = "True", **spec: t.Any) -> dict[str, t.Any]:
    return {
        "metadata": {"name": name},
        "spec": spec,
        "status": {
            "conditions": [{"type": "Ready", "status": ready}],
            "allocatable": {"cpu": "2", "memory": "4000Mi"},
        },
    }


def pod(*tolerations: dict[str, str], sidecar: str = "0") -> dict[str, t.Any]:
    return {
        "spec": {
            "containers": [{"resources": {"requests": {"cpu": "1500m", "memory": "64Mi"}}}],
            "initContainers": [{"restartPolicy": "Always", "resources": {"requests": {"cpu": sidecar}}}],
            "tolerations": list(tolerations),
        }
    }


CORDON = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
TAINT = {"key": "gpu", "value": "a100", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("the_pod", "the_node", "said"),
    [
        (pod(), node("n", unschedulable=True, taints=[CORDON]), "n is cordoned"),
        (pod(), node("n", ready="Unknown"), "n is not ready"),
        (pod(), node("n", taints=[TAINT]), "n has the taint gpu=a100:NoSchedule"),
        (pod(), node("n", taints=[{**TAINT, "effect": "PreferNoSchedule"}]), "n has too little left"),
        (pod({"key": "gpu", "operator": "Exists"}), node("n", taints=[TAINT]), "n has too little left"),
        (pod({"key": "gpu", "value": "a100", "effect": "NoSchedule"}), node("n", taints=[TAINT]), "n has too little left"),
        (pod({"key": "gpu", "value": "h100"}), node("n", taints=[TAINT]), "n has the taint gpu=a100:NoSchedule"),
        (pod(sidecar="600m"), node("n"), "n has 2 cpu of the 2.1 asked for"),
        (pod(), node("n"), "n has too little left, or the pod's rules keep it away"),
    ],
)  # fmt: skip
def test_a_node(the_pod: dict[str, t.Any], the_node: dict[str, t.Any], said: str) -> None:
    [clause] = refusals(the_pod, [the_node])
    assert clause.startswith(said)


@pytest.mark.parametrize(
    ("text", "number"),
    [("500m", "0.5"), ("2", "2"), ("64Mi", str(64 * 1024**2)), ("1.5G", "1500000000"), ("1k", "1000")],
)
def test_quantities(text: str, number: str) -> None:
    assert quantity(text) == decimal.Decimal(number)


@pytest.mark.parametrize("text", ["lots", "", "5mm", "Mi", "1 Gi"])
def test_no_quantities(text: str) -> None:
    with pytest.raises(ValueError, match="is no quantity"):
        quantity(text)
