# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The example's inventory and variables, read as Ansible reads them, against the application and the collection."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from shop.configuration import Configuration
from shop_processes import SHOP
from shop_variables import variables_of

from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.dockerfile import parse
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.workload import options

INVENTORY = SHOP / "inventory"


@pytest.fixture(scope="module")
def variables() -> dict[str, Any]:
    return variables_of("localhost", INVENTORY)


def test_beside_another_inventory_it_adds_its_variables_and_no_host(tmp_path: Path) -> None:
    other = tmp_path / "lab.yml"
    other.write_text("all: {children: {longshore_nodes: {hosts: {n1: {}}}}}\n", encoding="utf-8")
    variables = variables_of("n1", other, INVENTORY)
    assert variables["longshore_registry"]["username"] == "ci"
    assert variables["hosts"] == ["n1"]


def test_the_registry_is_one(variables: dict[str, Any]) -> None:
    settings = RegistrySettings.from_params(variables["longshore_registry"])
    assert settings.username == "ci"
    assert settings.password


def test_the_workload_is_one_and_draws_no_warning(variables: dict[str, Any]) -> None:
    for workload in variables["longshore_workloads"]:
        validated = ArgumentSpecValidator(options.ARGUMENT_SPEC, **options.CONSTRAINTS).validate(
            {**workload, "registry": variables["longshore_registry"]}
        )
        assert validated.error_messages == []
        release, warnings = options.release_from(validated.validated_parameters)
        assert warnings == []
        assert set(release.probes) == {"startupProbe", "readinessProbe", "livenessProbe"}


def test_the_application_takes_its_configuration(variables: dict[str, Any]) -> None:
    (web,) = variables["longshore_workloads"]
    environment = {name: str(value) for name, value in {**web["config"], **web["secrets"]}.items()}
    settings = Configuration.from_environment(environment)
    assert settings.port == web["ports"][0]["port"]
    assert settings.ready_header is not None
    assert dict([settings.ready_header]) == web["probes"]["ready"]["http"]["headers"]
    assert environment["GREETING"] == settings.greeting
    known = (SHOP / "README.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in known for name in environment)


def test_every_image_that_runs_is_built_from_sources_that_are_there(variables: dict[str, Any]) -> None:
    built = {f"{image['name']}:{tag}" for image in variables["longshore_images"] for tag in image["tags"]}
    running = {part["image"] for web in variables["longshore_workloads"] for part in (web, *web["sidecars"])}
    assert running <= built
    for image in variables["longshore_images"]:
        assert (SHOP / image["source"] / "Dockerfile").is_file()
    based = [base for image in variables["longshore_images"] for base in image.get("bases", {}).values()]
    assert based
    assert set(based) <= built


@pytest.mark.parametrize("present", [True, False])
def test_the_build_is_lent_the_controller_s_authorities_when_there_are_any(
    tmp_path: Path, present: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    bundle = tmp_path / "bundle.crt"
    if present:
        bundle.write_text("certificates", encoding="utf-8")
    extra = tmp_path / "inventory" / "hosts.yml"
    extra.parent.mkdir()
    extra.write_text(
        f"all: {{vars: {{shop_ca_bundles: [{bundle}]}}, hosts: {{n1: {{shop_ca_bundles: [{bundle}]}}}}}}\n"
    )
    images = {image["name"]: image for image in variables_of("n1", extra, INVENTORY)["longshore_images"]}
    expected = [{"id": "ca-bundle", "file": str(bundle)}] if present else []
    assert images["shop/web"]["secrets"] == expected


def test_the_build_is_lent_the_controller_s_index_when_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its name alone: it may have a login in it."""
    monkeypatch.setenv("PIP_INDEX_URL", "https://ci:tide@pypi.example/simple")
    variables = variables_of("localhost", INVENTORY)
    [web] = [image for image in variables["longshore_images"] if image["name"] == "shop/web"]
    assert {"id": "pip-index", "env": "PIP_INDEX_URL"} in web["secrets"]
    assert "tide" not in str(variables)


def test_dockerfiles_are_read_by_the_collection() -> None:
    for name in ("base", "web", "shipper"):
        text = (SHOP / name / "Dockerfile").read_text(encoding="utf-8")
        assert parse(text).instructions
