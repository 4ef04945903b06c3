# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""image_trial with Podman on dock, where the module runs by that host's own Python."""

from __future__ import annotations

import json
import subprocess
import typing as t
import uuid

import pytest
import yaml

from tests.integration.asking import on_node
from tests.integration.distribution.lab import ansible_playbook
from tests.lab.nodes import DOCK

from .images import PORT, SCRIPTS, VOLUME, busybox_layer, changes_of, layer_of

pytestmark = [pytest.mark.lab, pytest.mark.wide]

PREFIX = f"longshore.test/{uuid.uuid4().hex[:12]}"
PLACE = f"/tmp/longshore-test-{uuid.uuid4().hex[:12]}"
SECRET = "a-long-secret-91c3"
# so long that a slow machine fails nothing
COMMON: dict[str, t.Any] = {
    "engine": "podman",
    "start_timeout": 60,
    "stop_timeout": 60,
    "secrets": {"DB_PASSWORD": SECRET, "LC_NAME": f"/{SECRET}"},
}
GOOD: dict[str, t.Any] = {
    "required_env": ["DB_PASSWORD"],
    "health": "/health",
    "ready": "/ready",
    "metrics": "/metrics",
    "changed_env": [{"name": "GREETING", "value": "Moin", "path": "/cgi-bin/greeting", "regex": "^Moin$"}],
    "assertions": [
        {"exec": ["sh", "-c", "echo $DB_PASSWORD $LC_NAME"], "regex": f"^{SECRET} /{SECRET}$"},
        {"exec": ["cat", "/proc/1/status"], "regex": r"^CapEff:\s0+$"},
        {"exec": ["cat", "/proc/1/status"], "regex": r"^NoNewPrivs:\s1$"},
        {"exec": ["sh", "-c", "echo x > /tmp/x && cat /tmp/x"], "regex": "^x$"},
        {"tcp": PORT},
    ],
}
OPTIONS: dict[str, t.Any] = {
    "command": ["serve"],
    "env": {"PORT": 8081},
    "port": 8081,
    "user": "4711",
    "memory": "64m",
    "cpus": 0.5,
    "tmpfs": ["/var/cache"],
    "assertions": [
        {"exec": ["sh", "-c", "echo x > /var/cache/x; id -u"], "regex": "^4711$"},
        {"name": "no file", "exec": ["sh", "-c", "echo x > /tmp/x || echo no"], "regex": "^no$"},
        {"exec": ["sh", "-c", "cat /sys/fs/cgroup/memory/memory.limit_in_bytes"], "regex": f"^{64 * 1024**2}$"},
        {
            "exec": ["cat", "/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "/sys/fs/cgroup/cpu/cpu.cfs_period_us"],
            "regex": "^50000\n100000$",
        },
        {"exec": ["sh", "-c", "yes | head -c 5000000; echo y >&2"], "regex": "^y$"},
        {"name": "too long", "exec": ["yes", "aaaa"], "timeout": 1},
        {"name": "goes on", "exec": ["sh", "-c", "exec sleep 60 > /dev/null 2>&1"], "timeout": 1},
    ],
    "accept": ["assertion"],
}
# what its failed points say
BROKEN: dict[str, tuple[dict[str, t.Any], dict[str, str]]] = {
    "ignores the signal": ({"stop_timeout": 2}, {"stops": "still ran 2 s after SIGTERM"}),
    "logs to a file": ({}, {"logs": "it logs to /var/log/app.log"}),
    "needs its file system": ({}, {"transient": "/data/state/n"}),
    "root": ({}, {"user": "it names no user"}),
    "does not listen": ({"start_timeout": 3}, {"listens": f"nothing listens on port {PORT} after 3 s"}),
    "goes without the variable": ({"required_env": ["DB_PASSWORD"]}, {"required_env": "as if nothing was missing"}),
    "fills its memory": ({"memory": "16m"}, {"starts": "as one that is killed: for using more than 16 MiB of memory"}),
    "ends": ({"command": None}, {"starts": "it ended with exit code 3. Its last words: ending with ********"}),
    "nobody": ({"user": "somebody"}, {"starts": "the engine could not start it: ", "user": "it runs as somebody"}),
}
TASKS: dict[str, tuple[str, dict[str, t.Any]]] = {
    "planned": ("good", {**GOOD, "check": True}),
    "good": ("good", GOOD),
    "has options": ("has options", OPTIONS),
    "absent": ("missing", {}),
}


def tried(directory: t.Any, tasks: t.Mapping[str, tuple[str, dict[str, t.Any]]]) -> dict[str, t.Any]:
    """The results by the tasks' names; nothing of them is left."""
    volumes = on_node("dock", "podman", "volume", "ls", "--quiet")
    bring(*sorted({image for image, _options in tasks.values()} - {"missing"}))
    listed = []
    for name, (image, given) in tasks.items():
        options = {"image": reference(image), **COMMON, **{key: given[key] for key in given if key != "check"}}
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
        take_away()
        assert left == ""
        assert volumes_left == volumes


def bring(*names: str) -> None:
    """Import the images of names of C(SCRIPTS)."""
    busybox = busybox_layer()
    for name in names:
        changes = [word for change in changes_of(name) for word in ("--change", change)]
        layer = layer_of(busybox, SCRIPTS["good" if name == "nobody" else name])
        command = [
            "docker",
            "exec",
            "-i",
            DOCK.container,
            "podman",
            "import",
            "--quiet",
            *changes,
            "-",
            reference(name),
        ]
        subprocess.run(command, input=layer, check=True, timeout=60, capture_output=True)


def take_away() -> None:
    """Remove these images, and what stands on them without a name."""
    held = json.loads(on_node("dock", "podman", "images", "--format", "json"))
    mine = [image["Id"] for image in held if any(PREFIX in name for name in image.get("Names") or ())]
    on_node("dock", "sh", "-c", f"podman rmi --force {' '.join(mine)} && podman image prune --force")


def reference(name: str) -> str:
    return f"{PREFIX}/{name.replace(' ', '-')}:1"


def points(result: dict[str, t.Any], verdict: str) -> dict[str, str]:
    return {point["point"]: point["detail"] for point in result["points"] if point["verdict"] == verdict}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, t.Any]:
    return tried(tmp_path_factory.mktemp("podman"), TASKS)


def test_one_that_keeps_the_contract_passes_every_point(results: dict[str, t.Any]) -> None:
    result = results["good"]
    assert not result.get("failed"), result["msg"]
    assert (result["engine"], result["engine_reason"]) == ("podman", "it was asked for")
    assert {point["verdict"] for point in result["points"]} == {"pass"}
    assert {row["verdict"] for row in result["twelve_factors"]} == {"pass", "not claimed"}
    assert [(entry["endpoint"], entry["status"], entry["body"]) for entry in result["endpoints"]] == [
        ("ready", 200, "ready\n"),
        ("health", 200, "ok\n"),
        ("metrics", 200, "requests_total 0\n"),
    ]
    assert result["log"] == ["serving with ********", "stopping"]


def test_what_the_options_say_holds_in_the_container(results: dict[str, t.Any]) -> None:
    result = results["has options"]
    assert not result.get("failed"), result["msg"]
    assert [point["subject"] for point in result["points"] if point["verdict"] == "fail"] == ["too long", "goes on"]
    assert "the command did not end within 1 s" in points(result, "fail")["assertion"]
    assert f"but for its volumes {VOLUME}" in points(result, "pass")["transient"]


def test_check_mode_runs_nothing_and_a_missing_image_is_named(results: dict[str, t.Any]) -> None:
    planned = results["planned"]
    assert (planned["verdict"], planned["image"]["id"]) == ("not asked", results["good"]["image"]["id"])
    assert planned["tried"] == results["good"]["tried"]
    assert f"Podman on dock has no image {reference('missing')}. Build it there" in results["absent"]["msg"]


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, t.Any]:
    return tried(tmp_path_factory.mktemp("broken"), {name: (name, given) for name, (given, _said) in BROKEN.items()})


@pytest.mark.parametrize("name", BROKEN)
def test_one_that_breaks_a_point_fails_that_one_alone(broken: dict[str, t.Any], name: str) -> None:
    failed = points(broken[name], "fail")
    assert set(failed) == set(BROKEN[name][1])
    for point, text in BROKEN[name][1].items():
        assert text in failed[point]
        assert text in broken[name]["msg"]
    assert f"{reference(name)} in Podman on dock fails " in broken[name]["msg"]


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[dict[str, t.Any]]:
    """image_set over an image that stands on one that keeps the contract, and then breaks it."""
    bring("good")
    files = (("same", ""), ("broken", "USER 0\n"))
    for directory, more in files:
        text = f"FROM {reference('good')}\n{more}"
        on_node(
            "dock", "sh", "-c", f"mkdir -p {PLACE}/{directory} && printf '%s' '{text}' > {PLACE}/{directory}/Dockerfile"
        )
    image = {"name": f"{PREFIX}/set", "tags": ["1"], "trial": {"health": "/health"}, "trial_secrets": COMMON["secrets"]}
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
        take_away()
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
