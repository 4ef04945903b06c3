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
from tests.returned import as_documented

from .playbook import CHECKOUT, SECRET, SECRET_VARIABLE, Playbook, Run

# nobody listens on port 1, and nobody may
NOWHERE = "127.0.0.1:1"
REGISTRY = {"endpoint": NOWHERE, "tls": "plain", "username": "ci", "password": SECRET_VARIABLE}

CASES: dict[str, dict[str, dict[str, t.Any]]] = {
    "image_audit": {
        "no archive": {"store": "archive", "archive": "/no/such/archive.tar"},
        "relative archive": {"store": "archive", "archive": "web.tar"},
        "not an archive": {"store": "archive", "archive": "{context}/Dockerfile"},
        "unknown severity": {"store": "archive", "archive": "/etc", "fail_on": "always"},
        "an exception for no rule": {"references": ["a/b:1"], "exceptions": [{"rule": "x", "reason": "y"}]},
        "no layout": {"store": "layout", "layout": "{context}"},
        "no Dockerfile": {"references": ["a/b:1"], "dockerfile": "{context}/Nofile"},
        "no reference": {"docker_host": f"tcp://{NOWHERE}"},
        "unreachable engine": {"references": ["a/b:1"], "docker_host": f"tcp://{NOWHERE}"},
        "unreachable registry": {"store": "registry", "registry": REGISTRY, "references": ["shop/web:1"]},
    },
    "image_build": {
        "no source": {"name": f"{NOWHERE}/shop/web", "tags": ["1"], "source": "/no/such/directory"},
        "unknown engine": {"name": "a/b", "tags": "1", "source": "/", "engine": "rkt"},
        "invalid reference": {"name": "Not A Name", "tags": ["1"], "source": "/etc"},
        "unreachable engine": {"name": "a/b", "tags": ["1"], "source": "{context}", "docker_host": f"tcp://{NOWHERE}"},
        "missing Dockerfile": {"name": "a/b", "tags": ["1"], "source": "{context}", "dockerfile": "Nofile"},
        "a Dockerfile in two ways": {
            "name": "a/b:1",
            "source": "{context}",
            "dockerfile": "Dockerfile",
            "dockerfile_inline": "FROM scratch",
        },
        "no layout": {"name": "a/b:1", "source": "{context}", "output": "layout"},
        "unreachable registry": {"name": "a/b:1", "source": "{context}", "output": "registry", "registry": REGISTRY},
        "a secret in two ways": {
            "name": "a/b",
            "tags": ["1"],
            "source": "{context}",
            "secrets": [{"id": "x", "value": SECRET_VARIABLE, "env": "HOME"}],
        },
    },
    "image_info": {
        "unreachable registry": {"store": "registry", "registry": REGISTRY, "references": ["shop/web:1"]},
        "no registry": {"store": "registry"},
        "invalid reference": {"references": ["shop//web"], "docker_host": f"tcp://{NOWHERE}"},
        "unreachable engine": {"docker_host": f"tcp://{NOWHERE}"},
        "no layout": {"store": "layout", "layout": "{context}"},
        "no age": {"older_than": "soon"},
    },
    "image_prune": {
        "unreachable engine": {"dangling": True, "docker_host": f"tcp://{NOWHERE}"},
        "nothing": {},
        "an empty list": {"references": [], "older_than": "30d"},
        "two that exclude each other": {"dangling": True, "keep": 1},
        "no age": {"older_than": "soon"},
    },
    "image_push": {
        "unreachable registry": {"name": "shop/web", "tags": ["1"], "registry": REGISTRY},
        "invalid reference": {"name": "shop//web", "tags": ["1"], "registry": REGISTRY},
        "wrong type": {"name": "shop/web", "tags": ["1"], "registry": "no"},
        "password without user": {
            "name": "a/b",
            "tags": ["1"],
            "registry": {"endpoint": NOWHERE, "password": SECRET_VARIABLE},
        },
    },
    "image_set": {
        "no source": {"images": [{"name": "shop/web", "tags": ["1"], "source": "/no/such/directory"}]},
        "a relative source": {"images": [{"name": "shop/web", "tags": ["1"], "source": "web"}]},
        "unreachable engine": {
            "images": [
                {
                    "name": "shop/web",
                    "tags": ["1"],
                    "source": ".",
                    "secrets": [{"id": "token", "value": SECRET_VARIABLE}],
                    "trial": {},
                    "trial_secrets": {"DB_PASSWORD": SECRET_VARIABLE},
                }
            ],
            "source_root": "{context}",
            "docker_host": f"tcp://{NOWHERE}",
        },
        "two that wait for each other": {
            "images": [
                {"name": "a", "tags": ["1"], "source": ".", "depends_on": ["b"]},
                {"name": "b", "tags": ["1"], "source": ".", "depends_on": ["a"]},
            ],
            "source_root": "{context}",
        },
        "a gate's wrong option": {
            "images": [{"name": "a", "tags": ["1"], "source": ".", "audit": {"fail_on": "always"}}],
            "source_root": "{context}",
        },
        "none at once": {"images": [], "at_once": 0},
        "unknown option": {"images": [{"name": "a", "source": "/", "colour": "red"}]},
    },
    "image_tag": {
        "unreachable engine": {"image": "a/b:1", "references": ["a/b:2"], "docker_host": f"tcp://{NOWHERE}"},
        "no tag": {"image": "a/b:1", "references": ["a/b"]},
        "wrong pattern": {"image": "a/b:1", "references": ["a/b:2"], "immutable": [" "]},
        "nothing": {},
    },
    "image_trial": {
        "unreachable engine": {
            "image": "a/b:1",
            "secrets": {"DB_PASSWORD": SECRET_VARIABLE},
            "docker_host": f"tcp://{NOWHERE}",
        },
        "no port": {"image": "a/b:1", "port": 0},
        "a variable in two places": {
            "image": "a/b:1",
            "env": {"DB_PASSWORD": "x"},
            "secrets": {"DB_PASSWORD": SECRET_VARIABLE},
        },
        "no expression": {"image": "a/b:1", "assertions": [{"http": "/", "jmespath": "]"}]},
        "an assertion in two ways": {"image": "a/b:1", "assertions": [{"http": "/", "tcp": 80}]},
        "no such point": {"image": "a/b:1", "accept": ["speed"]},
    },
    "registry_info": {
        "unreachable registry": {"registry": REGISTRY, "fail_on_problem": True},
        "no repository": {"registry": REGISTRY, "repositories": ["shop//web"]},
        "no repository to write to": {"registry": REGISTRY, "write_to": "*"},
        "contents that are not looked at": {"registry": REGISTRY, "contents": "none", "tags": ["1"]},
        "no expression": {"registry": REGISTRY, "query": "]"},
        "nothing": {},
    },
    "registry_prune": {
        "unreachable registry": {"registry": REGISTRY, "rules": [{"repositories": ["**"], "keep_newest": 1}]},
        "no rule": {"registry": REGISTRY, "rules": []},
        "a rule that keeps nothing": {"registry": REGISTRY, "rules": [{"repositories": ["**"]}]},
        "no age": {"registry": REGISTRY, "rules": [{"repositories": ["**"], "keep_younger_than": "soon"}]},
        "no range": {"registry": REGISTRY, "rules": [{"repositories": ["**"], "keep_versions": ["1.2 - 1.4"]}]},
        "a host that was not asked": {
            "registry": REGISTRY,
            "rules": [{"repositories": ["**"], "keep_newest": 1}],
            "in_use": {"n1": "", "n2": []},
        },
    },
    "workload": {
        "no cluster": {"name": "web", "image": "shop/web:1", "registry": REGISTRY, "kubeconfig": "/no/such/file"},
        "no registry": {
            "name": "web",
            "image": "shop/web:1",
            "registry": REGISTRY,
            "kubeconfig": "{kubeconfig}",
            "secrets": {"DB_PASSWORD": SECRET_VARIABLE},
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


def placed_in(value: str, places: dict[str, str]) -> str:
    for name, place in places.items():
        value = value.replace(name, place)
    return value


NAMED = {f"{capability}: {case}": (capability, case) for capability, cases in CASES.items() for case in cases}


@pytest.fixture(scope="module")
def both(collections: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    """All cases by both fronts."""
    directory = tmp_path_factory.mktemp("cases")
    context = directory / "context"
    context.mkdir()
    (context / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    places = {"{context}": str(context), "{kubeconfig}": kubeconfig(directory, f"http://{NOWHERE}")}
    tasks = []
    for capability, case in NAMED.values():
        options = CASES[capability][case]
        placed = {
            name: placed_in(value, places) if isinstance(value, str) else value for name, value in options.items()
        }
        tasks.append({f"longshore.delivery.{capability}": placed})
    here, module = Playbook(collections, directory).by_both(*tasks, flags=["-vvv"])
    assert here.fronts() == [(capability, "in process") for capability, _case in NAMED.values()]
    assert module.fronts() == [(capability, "as a module: environment") for capability, _case in NAMED.values()]
    return here, module


@pytest.mark.parametrize("case", NAMED)
def test_same_error_by_both_fronts(both: tuple[Run, Run], case: str) -> None:
    here, module = (dict(zip(NAMED, run.results, strict=True))[case] for run in both)
    for result in (here, module):
        result.pop("invocation", None)
    assert here == module
    as_documented(NAMED[case][0], here)
    assert here["failed"] is True
    assert "fault in longshore.delivery" not in here["msg"]
    assert len(here["msg"]) > 20


def test_same_standard_error_by_both_fronts(both: tuple[Run, Run]) -> None:
    here, module = (run.said() for run in both)
    assert here == module
    assert here.count("Task failed: ") == len(NAMED)


def test_no_secret_leaves_either_front(both: tuple[Run, Run]) -> None:
    for run in both:
        assert SECRET not in run.stdout + run.stderr + str(run.results)
