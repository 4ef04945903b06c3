# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules' documentation, argument specs and action groups say must be the same."""

from __future__ import annotations

import importlib
import typing as t

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from .ansible_test import CHECKOUT

COLLECTION = "longshore.delivery"
MODULES = sorted(path.stem for path in (CHECKOUT / "plugins" / "modules").glob("*.py"))
# those of options; what is true of several modules beside them is in one of its own
FRAGMENTS = sorted({path.stem for path in (CHECKOUT / "plugins" / "doc_fragments").glob("*.py")} - {"attributes"})
ACTION_GROUPS = yaml.safe_load((CHECKOUT / "meta" / "runtime.yml").read_text())["action_groups"]


def plugin(kind: str, name: str) -> t.Any:
    return importlib.import_module(f"ansible_collections.{COLLECTION}.plugins.{kind}.{name}")


def documentation(module: str) -> dict[str, t.Any]:
    return t.cast("dict[str, t.Any]", yaml.safe_load(plugin("modules", module).DOCUMENTATION))


def test_every_documentation_fragment_is_an_action_group() -> None:
    assert sorted(ACTION_GROUPS) == FRAGMENTS


@pytest.mark.parametrize("group", FRAGMENTS)
def test_an_action_group_is_the_modules_with_options_of_its_fragment(group: str) -> None:
    """One that has some of them, in its argument spec or by the fragment, has all, documents them by it, and is a member."""
    options = set(yaml.safe_load(plugin("doc_fragments", group).ModuleDocFragment.DOCUMENTATION)["options"])
    specs = {module: set(plugin("modules", module).CAPABILITY.argument_spec) for module in MODULES}
    documented = {
        module
        for module in MODULES
        if f"{COLLECTION}.{group}" in documentation(module).get("extends_documentation_fragment", [])
    }
    assert set(ACTION_GROUPS[group]) == documented
    assert documented == {module for module, spec in specs.items() if options & spec}
    assert documented == {module for module, spec in specs.items() if options <= spec}


@pytest.mark.parametrize("module", MODULES)
def test_a_module_documents_the_action_groups_that_it_is_in(module: str) -> None:
    groups = [f"{COLLECTION}.{group}" for group, members in sorted(ACTION_GROUPS.items()) if module in members]
    attribute = documentation(module)["attributes"].get("action_group", {"membership": []})
    assert attribute["membership"] == groups


def examples(module: str) -> list[dict[str, t.Any]]:
    tasks = yaml.safe_load(plugin("modules", module).EXAMPLES)
    return [task[f"{COLLECTION}.{module}"] for task in tasks if f"{COLLECTION}.{module}" in task]


def suboptions(spec: dict[str, t.Any]) -> t.Iterator[frozenset[str]]:
    """The names of suboptions, by each option that has some. What is the same in several places is one thing, as a registry."""
    for option in spec.values():
        if "options" in option:
            yield frozenset(option["options"])
            yield from suboptions(option["options"])


def shown(spec: dict[str, t.Any], example: t.Any) -> t.Iterator[tuple[frozenset[str], set[str]]]:
    """The suboptions that an example has. A template, which may stand for any, has all of them."""
    for name in set(spec) & set(example):
        inner = spec[name].get("options")
        for entry in example[name] if isinstance(example[name], list) else [example[name]]:
            if inner and isinstance(entry, dict):
                yield frozenset(inner), set(entry)
                yield from shown(inner, entry)
            elif inner:
                yield frozenset(inner), set(inner)


def test_every_suboption_is_in_an_example() -> None:
    wanted = {names for module in MODULES for names in suboptions(plugin("modules", module).CAPABILITY.argument_spec)}
    missing = {names: set(names) for names in wanted}
    for module in MODULES:
        for example in examples(module):
            for names, used in shown(plugin("modules", module).CAPABILITY.argument_spec, example):
                missing[names] -= used
    assert not [names for names in missing.values() if names]


@pytest.mark.parametrize("module", MODULES)
def test_every_option_of_a_module_is_in_an_example_that_the_module_accepts(module: str) -> None:
    capability = plugin("modules", module).CAPABILITY
    assert set(capability.argument_spec) == set().union(*examples(module))
    for example in examples(module):
        accepted = ArgumentSpecValidator(capability.argument_spec, **capability.constraints).validate(example)
        assert not accepted.error_messages, example


@pytest.mark.parametrize(
    ("module", "keys"), [("registry_trust", ("pull_error",)), ("workload", ("why", "contains", "detail"))]
)
def test_every_kind_of_failed_pull_is_documented(module: str, keys: tuple[str, ...]) -> None:
    entry = yaml.safe_load(plugin("modules", module).RETURN)
    for key in keys:
        entry = entry[key]
    described = entry["description"]
    text = described if isinstance(described, str) else " ".join(described)
    kinds = plugin("module_utils", "node.pull_faults").KINDS
    assert not [kind for kind in kinds if f"V({kind})" not in text]
