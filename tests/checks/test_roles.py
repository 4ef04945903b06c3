# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a role takes for a module is what the module takes, and all of it is handed on."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import jinja2
import pytest
import yaml
from jinja2 import nodes

from .ansible_test import CHECKOUT
from .test_modules import COLLECTION, plugin

Options = dict[str, t.Any]
EVERY_ROLE = sorted(path.name for path in Path(CHECKOUT, "roles").iterdir())
# the options of registry_host_info are what the role registry has worked out of its own
ROLES = [role for role in EVERY_ROLE if role != "registry"]
# what the variables of a role's tasks stand for: an entry of a list, or a dictionary, among its options
ENTRIES = {
    "image_builder": "image_builder",
    "workload_one": "workload_list",
    "image_distribution_builder": "image_distribution_builder",
}
# of entries that more than one role reads
OTHERS_TOO = {"image_distribution_builder": {"engine"}}
# options of a role that have another name in its module
RENAMED = {
    ("image", "images"): "image_list",
    ("image", "endpoint"): "image_registry",
    ("image", "registry"): "image_output_registry",
}
# what a role works out by itself, or makes of options that another role has
OWN = {
    ("image_distribution", "image_push", "name"),
    ("image_distribution", "image_push", "tags"),
    ("image_distribution", "image_pull", "images"),
}


class Call(t.NamedTuple):
    """A task of a role that runs one of the collection's modules."""

    file: str
    module: str
    arguments: Options


def calls(role: str) -> t.Iterator[Call]:
    for path in sorted(Path(CHECKOUT, "roles", role, "tasks").glob("*.yml")):
        for task in yaml.safe_load(path.read_text()):
            for key in task:
                if key.startswith(f"{COLLECTION}."):
                    yield Call(path.name, key.removeprefix(f"{COLLECTION}."), task[key])


def options(role: str) -> Options:
    """The options of all entry points; one that is in several is the same in each."""
    found: Options = {}
    specification = yaml.safe_load(Path(CHECKOUT, "roles", role, "meta/argument_specs.yml").read_text())
    for entry_point in specification["argument_specs"].values():
        for name, option in entry_point["options"].items():
            required = found.setdefault(name, option).get("required")
            assert {**option, "required": required} == {**found[name], "required": required}, name
    return found


def shape(option: Options, inner: bool = False) -> Options:
    """What two specifications of one option have to have in common. Defaults count within it: what is not given is not passed."""
    return {
        "type": option["type"],
        "elements": option.get("elements"),
        "choices": option.get("choices"),
        "required": option.get("required", False),
        "no_log": bool(option.get("no_log")),
        "default": option.get("default") if inner else None,
        "options": {name: shape(suboption, True) for name, suboption in option.get("options", {}).items()},
    }


def names(value: t.Any) -> set[str]:
    """The variables in a template, and their attributes as in C(entry.key)."""
    tree = jinja2.Environment(autoescape=True).parse(str(value))
    attributes = {
        f"{node.node.name}.{node.attr}" for node in tree.find_all(nodes.Getattr) if isinstance(node.node, nodes.Name)
    }
    return attributes | {node.name for node in tree.find_all(nodes.Name)}


def option_of(role: str, specification: Options, module_option: str, value: t.Any) -> Options | None:
    """The role's option that a task gives to a module under the same name."""
    used = names(value)
    for variable, option in ENTRIES.items():
        if f"{variable}.{module_option}" in used:
            entries: Options = specification[option]["options"]
            return entries.get(module_option)
    name = RENAMED.get((role, module_option), f"{role}_{module_option}")
    return specification.get(name) if name in used else None


def given(role: str) -> t.Iterator[tuple[Call, str, Options | None]]:
    """Each module option that a role hands on, with the option of the role that it comes from."""
    specification = options(role)
    for call in calls(role):
        for name, value in call.arguments.items():
            if (role, call.module, name) not in OWN and "{{" in str(value):
                yield call, name, option_of(role, specification, name, value)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_hands_on_every_option_of_its_module(role: str) -> None:
    found = list(calls(role))
    assert found
    for call in found:
        assert set(call.arguments) == set(plugin("modules", call.module).CAPABILITY.argument_spec), call.file


@pytest.mark.parametrize("role", ROLES)
def test_an_option_of_a_role_is_the_modules(role: str) -> None:
    checked = list(given(role))
    assert checked
    for call, name, option in checked:
        assert option, f"{call.file}: {name} comes from no option of the role"
        theirs = plugin("modules", call.module).CAPABILITY.argument_spec[name]
        # a role may have a registry from the playbook that a module cannot do without
        ours = {**shape(option), "required": option.get("required", False) and theirs.get("required", False)}
        assert ours == shape(theirs), f"{call.file}: {name}"
        if option.get("default") not in (None, ""):
            assert option["default"] == theirs.get("default"), f"{call.file}: {name}"


@pytest.mark.parametrize("role", ROLES)
def test_what_a_role_has_an_option_for_is_taken_from_it(role: str) -> None:
    """By one call of the module at least: another may be a step of its own, as one that restarts nothing yet."""
    specification = options(role)
    taken: dict[tuple[str, str], bool] = {}
    for call in calls(role):
        for name, value in call.arguments.items():
            option = RENAMED.get((role, name), f"{role}_{name}")
            if option in specification and (role, call.module, name) not in OWN:
                key = (call.module, name)
                taken[key] = taken.get(key, False) or option in names(value)
    assert [key for key, is_taken in taken.items() if not is_taken] == []


@pytest.mark.parametrize("role", ROLES)
def test_an_entry_has_no_key_that_nothing_takes(role: str) -> None:
    specification = options(role)
    taken = {reference for call in calls(role) for value in call.arguments.values() for reference in names(value)}
    for variable, option in ENTRIES.items():
        keys = set(specification.get(option, {}).get("options", {})) - OTHERS_TOO.get(option, set())
        assert keys == {key for key in keys if f"{variable}.{key}" in taken}


@pytest.mark.parametrize("role", EVERY_ROLE)
def test_a_default_is_the_one_that_is_documented(role: str) -> None:
    specification = options(role)
    defaults = yaml.safe_load(Path(CHECKOUT, "roles", role, "defaults/main.yml").read_text()) or {}
    for name, value in defaults.items():
        if not re.search(r"{{|{%", str(value)):
            assert value == specification[name].get("default"), name
