# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""image_trial with Podman on dock, where the module runs by that host's own Python."""

from __future__ import annotations

import json
import typing as t
import uuid

import pytest
import yaml

from tests.integration.asking import on_node
from tests.integration.distribution.lab import ansible_playbook

from .contracts import (
    BROKEN,
    BY_THE_ENGINE,
    COMMON,
    GOOD,
    OPTIONS,
    SECRET,
    breaks_its_points_alone,
    has_its_options,
    keeps_its_contract,
)
from .images import PodmanImages

pytestmark = [pytest.mark.lab, pytest.mark.wide]

IMAGES = PodmanImages(f"longshore.test/{uuid.uuid4().hex[:12]}")
PLACE = f"/tmp/longshore-test-{uuid.uuid4().hex[:12]}"
TASKS: dict[str, tuple[str, dict[str, t.Any]]] = {
    "planned": ("good", {**GOOD, "check": True}),
    "good": ("good", GOOD),
    "has options": ("has options", OPTIONS),
    "absent": ("missing", {}),
}


def tried(directory: t.Any, tasks: t.Mapping[str, tuple[str, dict[str, t.Any]]]) -> dict[str, t.Any]:
    """The results by the tasks' names; nothing of them is left."""
    volumes = on_node("dock", "podman", "volume", "ls", "--quiet")
    for image in sorted({image for image, _options in tasks.values()} - {"missing"}):
        IMAGES.make(image)
    listed = []
    for name, (image, given) in tasks.items():
        options = {
            "image": IMAGES.reference(image),
            "engine": "podman",
            **COMMON,
            **{key: given[key] for key in given if key != "check"},
        }
        task = {"name": name, "longshore.delivery.image_trial": options, "ignore_errors": True}
        listed.append({**task, "check_mode": given.get("check", False)})
    playbook = directory / "podman.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": "dock", "gather_facts": False, "tasks": listed}]))
    try:
        ran = ansible_playbook(playbook)
        assert SECRET not in json.dumps(ran["stats"]) + json.dumps([play["tasks"][0]["hosts"] for play in ran["plays"]])
        found = {task["task"]["name"]: task["hosts"]["dock"] for task in ran["plays"][0]["tasks"]}
        for result in found.values():
            assert SECRET not in json.dumps({key: value for key, value in result.items() if key != "invocation"})
        return found
    finally:
        left = on_node("dock", "podman", "ps", "--all", "--quiet", "--filter", "label=delivery.longshore.trial")
        volumes_left = on_node("dock", "podman", "volume", "ls", "--quiet")
        IMAGES.remove()
        assert left == ""
        assert volumes_left == volumes


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, t.Any]:
    return tried(tmp_path_factory.mktemp("podman"), TASKS)


def test_one_that_keeps_the_contract_passes_every_point(results: dict[str, t.Any]) -> None:
    result = results["good"]
    assert not result.get("failed"), result["msg"]
    assert (result["engine"], result["engine_reason"]) == ("podman", "it was asked for")
    keeps_its_contract(result)
    assert result["log"] == ["serving with ********", "stopping"]


def test_what_the_options_say_holds_in_the_container(results: dict[str, t.Any]) -> None:
    result = results["has options"]
    assert not result.get("failed"), result["msg"]
    has_its_options(result)


def test_check_mode_runs_nothing_and_a_missing_image_is_named(results: dict[str, t.Any]) -> None:
    planned = results["planned"]
    assert (planned["verdict"], planned["image"]["id"]) == ("not asked", results["good"]["image"]["id"])
    assert planned["tried"] == results["good"]["tried"]
    assert f"Podman on dock has no image {IMAGES.reference('missing')}. Build it there" in results["absent"]["msg"]


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, t.Any]:
    return tried(tmp_path_factory.mktemp("broken"), {name: (name, BROKEN[name][0]) for name in BY_THE_ENGINE})


@pytest.mark.parametrize("name", BY_THE_ENGINE)
def test_one_that_breaks_a_point_fails_that_one_alone(broken: dict[str, t.Any], name: str) -> None:
    breaks_its_points_alone(name, broken[name], broken[name]["msg"])
    assert f"{IMAGES.reference(name)} in Podman on dock fails " in broken[name]["msg"]


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[dict[str, t.Any]]:
    """image_set over an image that stands on one that keeps the contract, and then breaks it."""
    good = IMAGES.make("good")
    files = (("same", ""), ("broken", "USER 0\n"))
    for directory, more in files:
        text = f"FROM {good}\n{more}"
        on_node(
            "dock", "sh", "-c", f"mkdir -p {PLACE}/{directory} && printf '%s' '{text}' > {PLACE}/{directory}/Dockerfile"
        )
    image = {
        "name": f"{IMAGES.prefix}/set",
        "tags": ["1"],
        "trial": {"health": "/health"},
        "trial_secrets": COMMON["secrets"],
    }
    tasks: list[dict[str, t.Any]] = []
    for name in ("same", "same", "broken", "broken"):
        options = {"images": [{**image, "source": f"{PLACE}/{name}"}], "engine": "podman"}
        tasks.append({"name": f"{len(tasks)}", "longshore.delivery.image_set": options, "ignore_errors": True})
    playbook = tmp_path_factory.mktemp("listed") / "listed.yml"
    environment = {"XDG_STATE_HOME": f"{PLACE}/state"}
    playbook.write_text(
        yaml.safe_dump([{"hosts": "dock", "gather_facts": False, "environment": environment, "tasks": tasks}])
    )
    try:
        ran = ansible_playbook(playbook)
        yield {task["task"]["name"]: task["hosts"]["dock"] for task in ran["plays"][0]["tasks"]}
    finally:
        IMAGES.remove()
        on_node("dock", "rm", "-r", PLACE)


def test_a_list_of_images_is_tried_there_before_it_gets_its_names(listed: dict[str, t.Any]) -> None:
    first, second, third, fourth = (listed[str(number)] for number in range(4))
    assert not first.get("failed"), first["msg"]
    [image] = first["images"]
    assert (image["build"]["engine"], image["trial"]["verdict"], image["withheld"]) == ("podman", "pass", [])
    assert (second["changed"], second["images"][0]["trial"]["judged_before"]) == (False, True)
    for failed, built in ((third, True), (fourth, False)):
        assert "its user 0 is root" in failed["msg"]
        [image] = failed["images"]
        assert image["build"]["built"] is built
        assert [name["before"] for name in image["withheld"]] == [first["images"][0]["build"]["image"]["id"]]
