# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every capability that has both fronts, by both: what can be seen without an engine, a registry or a cluster.

Their successes are compared in tests/integration/test_fronts.py, on the lab.
"""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from tests.kubeconfig import kubeconfig

from .conftest import CHECKOUT, Playbook, Run

SECRET = "hunter2-very-secret"
# nobody listens on port 1, and nobody may
NOWHERE = "127.0.0.1:1"
REGISTRY = {"endpoint": NOWHERE, "tls": "plain", "username": "ci", "password": SECRET}

CASES: dict[str, dict[str, dict[str, t.Any]]] = {
    "image_build": {
        "no source": {"name": f"{NOWHERE}/shop/web", "tags": ["1"], "source": "/no/such/directory"},
        "unknown engine": {"name": "a/b", "tags": "1", "source": "/", "engine": "rkt"},
        "invalid reference": {"name": "Not A Name", "tags": ["1"], "source": "/etc"},
        "unreachable engine": {"name": "a/b", "tags": ["1"], "source": "{context}", "docker_host": f"tcp://{NOWHERE}"},
        "missing Dockerfile": {"name": "a/b", "tags": ["1"], "source": "{context}", "dockerfile": "Nofile"},
        "a secret in two ways": {
            "name": "a/b",
            "tags": ["1"],
            "source": "{context}",
            "secrets": [{"id": "x", "value": SECRET, "env": "HOME"}],
        },
    },
    "image_push": {
        "unreachable registry": {"name": "shop/web", "tags": ["1"], "registry": REGISTRY},
        "invalid reference": {"name": "shop//web", "tags": ["1"], "registry": REGISTRY},
        "wrong type": {"name": "shop/web", "tags": ["1"], "registry": "no"},
        "password without user": {"name": "a/b", "tags": ["1"], "registry": {"endpoint": NOWHERE, "password": SECRET}},
    },
    "workload": {
        "no cluster": {"name": "web", "image": "shop/web:1", "registry": REGISTRY, "kubeconfig": "/no/such/file"},
        "no registry": {
            "name": "web",
            "image": "shop/web:1",
            "registry": REGISTRY,
            "kubeconfig": "{kubeconfig}",
            "secrets": {"DB_PASSWORD": SECRET},
        },
        "a probe of no port": {
            "name": "web",
            "image": "shop/web:1",
            "registry": REGISTRY,
            "kubeconfig": "{kubeconfig}",
            "probes": {"live": {"tcp": "nowhere"}},
        },
        "unknown option": {"name": "web", "image": "shop/web:1", "colour": "red"},
    },
}


def test_every_capability_with_two_fronts_is_here() -> None:
    assert {path.stem for path in (CHECKOUT / "plugins" / "action").glob("*.py")} == set(CASES)


@pytest.fixture
def places(tmp_path: Path) -> dict[str, str]:
    context = tmp_path / "context"
    context.mkdir()
    (context / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    return {"{context}": str(context), "{kubeconfig}": kubeconfig(tmp_path, f"http://{NOWHERE}")}


def comparable(run: Run) -> dict[str, t.Any]:
    [result] = run.results
    return {key: value for key, value in result.items() if key != "invocation"}


@pytest.mark.parametrize(
    ("capability", "case"), [(name, case) for name, cases in CASES.items() for case in cases], ids=lambda word: word
)
def test_same_error_by_both_fronts(playbook: Playbook, places: dict[str, str], capability: str, case: str) -> None:
    options = {
        name: places.get(value, value) if isinstance(value, str) else value
        for name, value in CASES[capability][case].items()
    }
    here, module = playbook.by_both({f"longshore.delivery.{capability}": options})
    assert comparable(here) == comparable(module)
    assert here.said() == module.said()
    [result] = here.results
    assert result["failed"] is True
    assert "fault in longshore.delivery" not in result["msg"]
    assert len(result["msg"]) > 20
    for run in (here, module):
        # core itself shows the playbook's lines around a failing task
        assert SECRET not in (run.stdout + run.stderr).replace(f"password: {SECRET}", "").replace(
            f"PASSWORD: {SECRET}", ""
        )
        assert SECRET not in str(run.results)
