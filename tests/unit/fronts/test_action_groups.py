# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""C(module_defaults) by an action group reach every module of the group, by whichever front it runs."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest
import yaml

from .playbook import CHECKOUT, SECRET, SECRET_VARIABLE, Playbook, Run

COLLECTION = "longshore.delivery"
GROUPS: dict[str, list[str]] = yaml.safe_load((CHECKOUT / "meta" / "runtime.yml").read_text())["action_groups"]
MEMBERS = sorted({module for members in GROUPS.values() for module in members})
# nobody listens on port 1, and nobody may
DEFAULTS: dict[str, dict[str, t.Any]] = {
    "build": {"dockerfile_inline": "# nothing"},
    "registry": {
        "registry": {"endpoint": "127.0.0.1:1", "tls": "plain", "username": "ci", "password": SECRET_VARIABLE}
    },
    "engine": {"docker_host": "tcp://127.0.0.1:1", "docker_cert_path": "/no/such/certificates"},
    "cluster": {"kubeconfig": "/no/such/kubeconfig", "kube_context": "nowhere"},
}
# what fails without a further option, of a module that needs none by itself
WANTING: dict[str, dict[str, t.Any]] = {
    "image_audit": {"store": "layout"},
    "image_info": {"store": "layout"},
    "image_set": {"images": [{}]},
    "registry_info": {"contents": "none", "query": "tag"},
}
MASKED = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
# What only a default can have made a module do. Check mode lets a push pass a registry that is not there yet.
EFFECTS: dict[str, tuple[dict[str, t.Any], str]] = {
    "build": (
        {f"{COLLECTION}.image_build": {"name": "a/b:1", "source": "/", "dockerfile": "D"}},
        "mutually exclusive: dockerfile|dockerfile_inline",
    ),
    "registry": ({f"{COLLECTION}.image_push": {"name": "a/b", "tags": ["1"]}}, "127.0.0.1:1"),
    "engine": (
        {f"{COLLECTION}.image_push": {"name": "a/b", "tags": ["1"]}, "check_mode": True},
        "/no/such/certificates",
    ),
    "cluster": ({f"{COLLECTION}.workload": {"name": "a", "image": "a/b:1", "pin": False}}, "/no/such/kubeconfig"),
}


@pytest.fixture(scope="module")
def both(collections: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    """Every member with no option of its own, or one that wants another, then the effects, by both fronts."""
    playbook = Playbook(collections, tmp_path_factory.mktemp("groups"))
    tasks: list[dict[str, t.Any]] = [{f"{COLLECTION}.{module}": WANTING.get(module, {})} for module in MEMBERS]
    return playbook.by_both(
        *tasks,
        *(task for task, _effect in EFFECTS.values()),
        play={"module_defaults": {f"group/{COLLECTION}.{group}": options for group, options in DEFAULTS.items()}},
        environment={"ANSIBLE_INJECT_INVOCATION": "1"},  # without it 2.21 shows no options
        flags=["-vvv"],
    )


def test_every_action_group_is_here() -> None:
    assert list(GROUPS) == list(DEFAULTS) == list(EFFECTS)


def arguments(run: Run) -> list[dict[str, t.Any]]:
    """The options of each failed task after its validation, which C(-vvv) shows and C(register) does not keep."""
    shown = [
        json.JSONDecoder().raw_decode(run.stderr, found.end())[0] for found in re.finditer("FAILED! => ", run.stderr)
    ]
    return [result["invocation"]["module_args"] for result in shown]


@pytest.mark.parametrize("module", MEMBERS)
def test_defaults_of_its_groups_and_no_others_reach_a_module(both: tuple[Run, Run], module: str) -> None:
    number = MEMBERS.index(module)
    for run in both:
        assert re.match(
            r"missing required arguments: |store is layout but|one of the following is required|contents is none",
            run.results[number]["msg"],
        )
        options = arguments(run)[number]
        reached = {name for defaults in DEFAULTS.values() for name in defaults if options.get(name)}
        wanted = {
            name: value for group in DEFAULTS if module in GROUPS[group] for name, value in DEFAULTS[group].items()
        }
        assert reached == set(wanted)
        for name, value in wanted.items():
            if name == "registry":
                assert options[name].items() >= {**value, "password": MASKED}.items()
            else:
                assert options[name] == value


@pytest.mark.parametrize("group", EFFECTS)
def test_a_groups_defaults_take_effect_in_both_fronts(both: tuple[Run, Run], group: str) -> None:
    number = len(MEMBERS) + list(EFFECTS).index(group)
    here, module = (run.results[number]["msg"] for run in both)
    assert here == module
    assert EFFECTS[group][1] in here


def test_each_ran_by_the_front_that_it_was_to(both: tuple[Run, Run]) -> None:
    here, module = (run.fronts() for run in both)
    ways = {way for _capability, way in here}, {way for _capability, way in module}
    assert ways == ({"in process"}, {"as a module: environment"})
    assert [capability for capability, _way in here] == [capability for capability, _way in module]


def test_no_secret_of_a_default_is_shown(both: tuple[Run, Run]) -> None:
    for run in both:
        assert SECRET not in run.stdout + run.stderr + str(run.results)
