# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of its two forms Podman's container has on a host: a quadlet where systemd has what makes a unit of it, else the unit."""

from __future__ import annotations

import dataclasses
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_container import is_of_another
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_files import ABSENT, FILE
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_obstacles import obstacles
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_plan import plan
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_quadlet import (
    fault,
    generator,
    in_its_form,
    started_by,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_state import REGISTRY
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_units import Unit

from .test_host import WANTED, seen

UNIT, QUADLET = "/etc/systemd/system/longshore-registry.service", "/etc/containers/systemd/longshore-registry.container"
NAME = "systemd/system-generators/podman-system-generator"
FILES = [{"path": path, "kind": FILE, "mark": "# ours"} for path in ("/other", UNIT, QUADLET)]
PARAMS: dict[str, t.Any] = {
    "container": {"engine": "/usr/bin/podman"},
    "quadlet": {"file": QUADLET, "unit_file": UNIT, "stamp": "of the quadlet", "required": False},
    "files": FILES,
    "configuration_stamp": "of the unit",
}
REQUIRED = {**PARAMS, "quadlet": {**PARAMS["quadlet"], "required": True}}


def put(root: Path, place: str, mode: int = 0o755) -> str:
    path = root / place / NAME
    path.parent.mkdir(parents=True)
    path.write_text("")
    path.chmod(mode)
    return str(path)


def kinds(params: t.Mapping[str, t.Any]) -> dict[str, tuple[str, str]]:
    return {file["path"]: (file["kind"], file["mark"]) for file in params["files"]}


def test_the_first_generator_that_systemd_finds_counts(tmp_path: Path) -> None:
    assert generator(str(tmp_path)) == ""
    packaged = put(tmp_path, "usr/lib")
    assert generator(str(tmp_path)) == packaged
    own = put(tmp_path, "usr/local/lib")
    assert generator(str(tmp_path)) == own
    masked = tmp_path / "etc" / NAME
    masked.parent.mkdir(parents=True)
    masked.symlink_to("/dev/null")
    assert generator(str(tmp_path)) == ""
    assert generator(str(tmp_path)) != put(tmp_path, "run", 0o644)
    assert generator(str(tmp_path)) == ""


def test_without_a_generator_the_unit_is_wanted(tmp_path: Path) -> None:
    found = in_its_form(PARAMS, str(tmp_path))
    assert kinds(found) == {"/other": (FILE, "# ours"), UNIT: (FILE, "# ours"), QUADLET: (ABSENT, "# ours")}
    assert (found["configuration_stamp"], found["generator"]) == ("of the unit", "")
    assert started_by(found) == "/usr/bin/podman"


def test_with_one_the_quadlet_is_wanted_and_no_unit_of_that_name_whoever_wrote_it(tmp_path: Path) -> None:
    path = put(tmp_path, "usr/lib")
    found = in_its_form(PARAMS, str(tmp_path))
    assert kinds(found) == {"/other": (FILE, "# ours"), UNIT: (ABSENT, ""), QUADLET: (FILE, "# ours")}
    assert (found["configuration_stamp"], found["generator"]) == ("of the quadlet", path)
    assert started_by(found) == "quadlet"
    assert PARAMS["files"] is FILES, "the options themselves are left as they were"


def test_where_no_quadlet_is_asked_for_the_generator_does_not_count(tmp_path: Path) -> None:
    put(tmp_path, "usr/lib")
    found = in_its_form({**PARAMS, "quadlet": None}, str(tmp_path))
    assert {key: value for key, value in found.items() if key != "generator"} == {**PARAMS, "quadlet": None}
    assert started_by(found) == "/usr/bin/podman"
    assert started_by({**found, "container": None}) == ""
    assert fault(found) == ""


def test_one_that_has_to_be_and_cannot_is_refused_with_the_way_out(tmp_path: Path) -> None:
    assert fault(in_its_form(PARAMS, str(tmp_path))) == ""
    said = fault(in_its_form(REQUIRED, str(tmp_path)))
    assert "registry_quadlet is always" in said
    assert "Install a newer Podman" in said
    container = dataclasses.replace(seen().container, reference="registry:3", image="aa", fault=said)
    assert obstacles(seen(container=container), WANTED) == [said]
    put(tmp_path, "usr/lib")
    assert fault(in_its_form(REQUIRED, str(tmp_path))) == ""


@pytest.mark.parametrize("starter", ["/usr/bin/podman", "/usr/bin/docker"])
def test_a_container_of_the_unit_is_ended_by_the_unit(starter: str) -> None:
    assert is_of_another("quadlet", Unit(REGISTRY, environment={"LONGSHORE_REGISTRY_ENGINE": starter}))
    assert is_of_another(starter, Unit(REGISTRY, environment={"LONGSHORE_REGISTRY_ENGINE": "quadlet"}))
    assert plan(seen(other_container=True), WANTED).stop_container
