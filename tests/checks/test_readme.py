# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The delivery that README shows: what users copy is what the collection takes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import sysconfig
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.workload import options

from .ansible_test import CHECKOUT

README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
GUIDE = "docs/local-containers.md"
LINES_ALLOWED = 19


def block(language: str) -> str:
    [found] = re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.fixture(scope="module")
def variables() -> dict[str, t.Any]:
    return t.cast("dict[str, t.Any]", yaml.safe_load(block("yaml")))


def test_it_is_short() -> None:
    lines = [line for line in block("yaml").splitlines() if not line.startswith("#")]
    assert len(lines) <= LINES_ALLOWED


def test_its_variables_are_those_of_the_table(variables: dict[str, t.Any]) -> None:
    assert set(variables) <= set(re.findall(r"^\| `(longshore_\w+)` \|", README, re.MULTILINE))


def test_its_registry_is_one(variables: dict[str, t.Any]) -> None:
    assert str(RegistrySettings.from_params(variables["longshore_registry"]).endpoint) == "registry.example:5000"


def is_what_the_role_takes(images: list[dict[str, t.Any]]) -> None:
    """Fail unless the role image takes this list."""
    specs = yaml.safe_load((CHECKOUT / "roles/image/meta/argument_specs.yml").read_text())["argument_specs"]
    of_list = {"image_list": specs["main"]["options"]["image_list"]}
    assert ArgumentSpecValidator(of_list).validate({"image_list": images}).error_messages == []


def test_its_images_are_what_the_role_takes(variables: dict[str, t.Any]) -> None:
    is_what_the_role_takes(variables["longshore_images"])


def test_its_workloads_are_what_the_module_takes(variables: dict[str, t.Any]) -> None:
    built = {f"{image['name']}:{tag}" for image in variables["longshore_images"] for tag in image["tags"]}
    for workload in variables["longshore_workloads"]:
        given = {**workload, "registry": variables["longshore_registry"]}
        checked = ArgumentSpecValidator(options.ARGUMENT_SPEC, **options.CONSTRAINTS).validate(given)
        assert checked.error_messages == []
        assert workload["image"] in built


def test_its_inventory_has_the_groups_of_the_table(tmp_path: Path) -> None:
    inventory = tmp_path / "inventory"
    inventory.write_text(block("ini"))
    program = Path(sys.executable).with_name("ansible-inventory")
    listed = subprocess.run([program, "-i", inventory, "--list"], capture_output=True, text=True, check=True).stdout
    groups = json.loads(listed)
    assert groups["longshore_nodes"]["hosts"] == ["node1.example", "node2.example", "node3.example", "localhost"]
    assert groups["longshore_registry_hosts"]["hosts"] == ["registry.example"]


def blocks(path: str) -> list[t.Any]:
    """The YAML that a guide shows."""
    text = (CHECKOUT / path).read_text(encoding="utf-8")
    return [yaml.safe_load(found) for found in re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)]


def test_the_builds_that_guides_show_are_what_the_role_takes() -> None:
    plays = [play for guide in (GUIDE, "roles/image/README.md") for block in blocks(guide) for play in block]
    tasks = [task for play in plays for task in play.get("tasks", ()) if "ansible.builtin.import_role" in task]
    assert [task["ansible.builtin.import_role"]["name"] for task in tasks] == ["longshore.delivery.image"] * 2
    for task in tasks:
        is_what_the_role_takes(task["vars"]["image_list"])


def test_what_the_guide_to_local_containers_names_is_there() -> None:
    named = set(re.findall(r"community\.docker\.(docker\w*)", (CHECKOUT / GUIDE).read_text()))
    plugins = Path(sysconfig.get_path("purelib"), "ansible_collections/community/docker/plugins")
    there = {path.stem for kind in ("modules", "connection") for path in (plugins / kind).glob("*.py")}
    assert len(named) > 5
    assert not named - there
