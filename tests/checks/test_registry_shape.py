# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A registry is written in one shape, whichever role it is given to."""

from __future__ import annotations

import typing as t
from pathlib import Path

import yaml

from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import REGISTRY_OPTIONS

from .ansible_test import CHECKOUT

Options = dict[str, t.Any]
# by these a role is given a registry; the role that makes one has an option for each of its properties instead
REGISTRIES = {
    ("image_distribution", "image_distribution_registry"),
    ("registry_trust", "registry_trust_registries"),
    ("workload", "workload_registry"),
}


def shape(option: Options) -> Options:
    return {key: value for key, value in option.items() if key not in ("description", "version_added")}


def given_to_roles() -> t.Iterator[tuple[str, str, str, Options]]:
    """Role, entry point, name and specification of each option that is a registry, by its name or by its keys."""
    for path in sorted(Path(CHECKOUT, "roles").glob("*/meta/argument_specs.yml")):
        role = path.parts[-3]
        for entry_point, specification in yaml.safe_load(path.read_text())["argument_specs"].items():
            for name, option in specification.get("options", {}).items():
                if (role, name) in REGISTRIES or "endpoint" in option.get("options", {}):
                    yield role, entry_point, name, option


def test_every_role_takes_the_registry_of_the_modules() -> None:
    found = list(given_to_roles())
    assert {(role, name) for role, entry_point, name, option in found} == REGISTRIES
    for role, entry_point, name, option in found:
        options = {key: shape(value) for key, value in option.get("options", {}).items()}
        assert options == REGISTRY_OPTIONS, f"{name} of role {role}, entry point {entry_point}"
