# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an engine says of the registry's image and container."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_container import (
    Container,
    attributed,
    is_of_another,
    observe,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_instances import (
    configuration_of as host_configuration,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_listeners import Listener, Sockets
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_units import Unit

IMAGE = "registry.example/mirror/registry:3"
ENGINE = "/bin/true"  # is there; what it says is in the tests
NO_IMAGE = Completed(1, "[]\n", "Error response from daemon: No such image: registry:3\n")
NO_CONTAINER = Completed(1, "", "Error: inspecting object: no such container longshore-registry\n")


def look(image: Completed, container: Completed = NO_CONTAINER, **given: str) -> Container:
    def run_command(argv: t.Sequence[str], **_options: t.Any) -> Completed:
        assert argv[2:4] == ["inspect", "--format"]
        return {"image": image, "container": container}[argv[1]]

    asked = {"engine": ENGINE, "reference": IMAGE, "name": "longshore-registry", "data": "/data", **given}
    return observe(run_command=run_command, **asked)


def test_docker_and_podman_write_the_same_identity_differently() -> None:
    found = look(Completed(0, "sha256:aa\n", ""), Completed(0, "aa 17\n", ""))
    assert found == Container(IMAGE, "aa", "aa", 17)
    assert not found.lacks_image
    assert not found.runs_another_image


def test_what_is_not_there_is_no_fault() -> None:
    found = look(NO_IMAGE)
    assert found == Container(IMAGE)
    assert found.lacks_image
    assert not found.runs_another_image


def test_a_container_of_another_image_is_seen() -> None:
    assert look(Completed(0, "sha256:bb\n", ""), Completed(0, "sha256:aa 17\n", "")).runs_another_image


@pytest.mark.parametrize(
    ("given", "image", "words"),
    [
        ({"reference": ""}, NO_IMAGE, ["registry_image is empty", "by digest"]),
        ({"reference": "http://registry"}, NO_IMAGE, ["registry_image: Invalid image reference", "scheme"]),
        ({"data": "/srv/one:two"}, NO_IMAGE, ["registry_data /srv/one:two cannot be mounted", "Set another place"]),
        ({"engine": "/nowhere/podman"}, NO_IMAGE, ["registry_engine is podman", "Install it, or set the other one"]),
        ({}, Completed(1, "", "Cannot connect to the Docker daemon\n"), ["does not answer", "Cannot connect"]),
        ({}, Completed(125, "", ""), ["does not answer", "exit status 125"]),
    ],
)
def test_what_keeps_the_engine_from_running_it_is_named(
    given: dict[str, t.Any], image: Completed, words: list[str]
) -> None:
    found = look(image, **given)
    for word in words:
        assert word in found.fault
    assert found.fault.endswith(".")


def test_a_container_of_another_engine_is_seen() -> None:
    podman = Unit("ours.service", environment={"LONGSHORE_REGISTRY_ENGINE": "/usr/bin/podman"})
    assert [is_of_another(engine, podman) for engine in ("/usr/bin/podman", "/usr/bin/docker", "")] == [
        False,
        True,
        True,
    ]
    assert not is_of_another("/usr/bin/podman", Unit("ours.service"))


def test_what_a_container_is_given_and_holds_counts_as_the_unit_s(monkeypatch: pytest.MonkeyPatch) -> None:
    name = next(iter(os.environ))
    unit = Unit("ours.service", environment={"OF": "the engine"}, listens=("0.0.0.0:1",), program="8:7")
    found = Container(IMAGE, process=os.getpid()).found_in(unit, Sockets())
    assert name in found.environment
    assert (found.program, "0.0.0.0:1" in found.listens) == ("", False)
    assert Container().found_in(unit, Sockets()) == unit


def test_a_listener_is_the_unit_s_where_its_process_serves_the_unit_s_own_configuration(tmp_path: Path) -> None:
    served = [host_configuration("own"), host_configuration("other"), host_configuration("own")]
    variables = ["STAMP=1", "STAMP=2", "ANOTHER=1"]
    for pid, (variable, configuration) in enumerate(zip(variables, served), 7):
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "environ").write_text(variable + "\0")
        (tmp_path / str(pid) / "cmdline").write_text("\0".join(["registry", "serve", configuration, ""]))
    held = [Listener("127.0.0.1", 5001, pid, "registry") for pid in (7, 8, 9, 0)]
    found = attributed(held, "ours.service", "STAMP", host_configuration("own"), str(tmp_path))
    assert [each.unit for each in found] == ["ours.service", "", "", ""]
    assert host_configuration("") == "/etc/longshore/registry/config.yml"
    assert host_configuration("own") == "/etc/longshore/registry-own/config.yml"
