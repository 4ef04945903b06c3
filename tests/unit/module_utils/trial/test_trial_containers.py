# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose a container is: of a process that runs, of one that has ended, or of another machine; and how engines' words are read."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import subprocess
import sys
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import DockerAddress
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.faults import DockerEngineError
from ansible_collections.longshore.delivery.plugins.module_utils.trial.container import Container, Containers, leaves
from ansible_collections.longshore.delivery.plugins.module_utils.trial.docker_trials import DockerTrials
from ansible_collections.longshore.delivery.plugins.module_utils.trial.owner import (
    OWNER_LABEL,
    SECONDS_LABEL,
    Owner,
    is_leftover,
)
from ansible_collections.longshore.delivery.plugins.module_utils.trial.podman_trials import PodmanError, PodmanTrials
from ansible_collections.longshore.delivery.plugins.module_utils.trial.wanted import Wanted
from tests.http_server import AnsweringServer, Reply, Request


def labels(owner: object, seconds: str = "60") -> dict[str, str]:
    return {OWNER_LABEL: str(owner), SECONDS_LABEL: seconds}


def test_an_owner_survives_being_a_label() -> None:
    assert Owner.parse(str(Owner.here())) == Owner.here()


@pytest.mark.parametrize("text", ["", "a", "a/b/c", "a/1", "//"])
def test_what_is_no_owner_is_none(text: str) -> None:
    assert Owner.parse(text) is None


def test_a_container_of_this_process_is_no_leftover_however_old() -> None:
    assert not is_leftover(labels(Owner.here()), 1e6)


def test_one_of_a_process_that_has_ended_is_one_at_once() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, text=True) as process:
        owner = Owner.of(process.pid)
        assert not is_leftover(labels(owner), 1e6)
        process.communicate("\n")
    assert is_leftover(labels(owner), 0)


def test_one_of_a_process_whose_number_another_has_now_is_one() -> None:
    assert is_leftover(labels(dataclasses.replace(Owner.here(), begun="1")), 0)


@pytest.mark.parametrize("owner", ["elsewhere:1/1/1", "nobody"])
def test_one_of_another_machine_is_one_when_its_time_is_over(owner: str) -> None:
    assert not is_leftover(labels(owner), 59)
    assert is_leftover(labels(owner), 61)
    assert not is_leftover(labels(owner, "soon"), 1e6)


def test_of_paths_only_those_with_nothing_below_count() -> None:
    assert leaves(["/a", "/a-b", "/a/c", "/a/c/d", "/e"]) == ("/a-b", "/a/c/d", "/e")


@contextlib.contextmanager
def answering(answers: t.Mapping[tuple[str, str], t.Any]) -> t.Iterator[tuple[DockerTrials, list[Request]]]:
    """An engine that answers so by method and path below the API's version, of a list one by one; and what it was asked."""

    def answer(request: Request) -> Reply:
        path = request.path.partition("?")[0].removeprefix("/v1.45")
        version = {("GET", "/version"): (200, {"ApiVersion": "1.45", "MinAPIVersion": "1.12"})}
        found = {**version, **answers}[request.method, path]
        status, document = found.pop(0) if isinstance(found, list) else found
        # with 204 nothing may come, or it would be taken for the next answer
        return status, {"Content-Type": "application/json"}, b"" if status == 204 else json.dumps(document).encode()

    with AnsweringServer(answer) as server:
        engine = DockerTrials(DockerAddress(f"tcp://127.0.0.1:{server.port}"))
        try:
            yield engine, server.requests
        finally:
            engine.close()


# as Podman shows it, with the port by which it was reached
ENDED = {
    "State": {"Running": False, "ExitCode": 127, "OOMKilled": True},
    "NetworkSettings": {"Ports": {"80/tcp": [{"HostPort": "1"}]}},
}


def test_a_container_that_cannot_be_started_has_a_state_like_any() -> None:
    answers = {
        ("POST", "/containers/x/start"): (400, {"message": "exec: no such file"}),
        ("GET", "/containers/x/json"): (200, ENDED),
    }
    with answering(answers) as (engine, _requests):
        container = Container(engine, "x")
        container.start()
        state = container.state()
    assert (state.running, state.exit_code, state.out_of_memory) == (False, 127, True)
    assert "exec: no such file" in state.refused


def test_an_engine_that_cannot_start_anything_is_no_fault_of_an_image() -> None:
    answers = {("POST", "/containers/x/start"): (500, {"message": "adding interface to bridge docker0 failed"})}
    with (
        answering(answers) as (engine, _requests),
        pytest.raises(DockerEngineError, match="refused: adding interface to bridge docker0 failed"),
    ):
        Container(engine, "x").start()


def test_podmans_service_has_words_of_its_own_for_what_is_a_containers_fault() -> None:
    broken = {
        "message": 'runc: exec: "/none": no such file: OCI runtime attempted to invoke a command that was not found'
    }
    ended = {"message": "can only kill running containers. x is in state exited: container state improper"}
    answers = {
        ("POST", "/containers/x/start"): (500, broken),
        ("GET", "/containers/x/json"): (200, ENDED),
        ("POST", "/containers/x/kill"): (500, ended),
        ("POST", "/containers/y/kill"): (500, {"message": "the runtime is gone"}),
        ("GET", "/containers/x/changes"): (200, [{"Path": "/etc/passwd", "Kind": 1}, {"Path": "/var/x", "Kind": 1}]),
        ("GET", "/version"): (200, {"ApiVersion": "1.45", "Components": [{"Name": "Podman Engine"}]}),
    }
    with answering(answers) as (engine, _requests):
        container = Container(engine, "x")
        container.start()
        assert "a command that was not found" in container.state().refused
        container.signal("SIGTERM")
        assert container.get(80, "/").problem == container.connect(80).problem == "port 80: the container has ended"
        assert container.written() == ("/var/x",)
        with pytest.raises(DockerEngineError, match="the runtime is gone"):
            Container(engine, "y").signal("SIGTERM")


def test_leftovers_are_removed_by_their_labels_and_one_that_another_removes_is_none_to_fail_at() -> None:
    listed = [
        {"Id": "old", "Created": 1795309200 - 100, "Labels": labels("elsewhere:1/1/1")},
        {"Id": "going", "Created": 1795309200 - 100, "Labels": labels("elsewhere:1/1/1")},
        {"Id": "new", "Created": 1795309200 - 10, "Labels": labels("elsewhere:1/1/1")},
        {"Id": "mine", "Created": 1, "Labels": labels(Owner.here())},
    ]
    answers = {
        ("GET", "/info"): (200, {"SystemTime": "2026-11-22T01:00:00.5Z"}),
        ("GET", "/containers/json"): (200, listed),
        ("DELETE", "/containers/old"): (200, {}),
        ("DELETE", "/containers/going"): (409, {"message": "removal of container going is already in progress"}),
    }
    with answering(answers) as (engine, requests):
        wanted = Wanted("a/b:1", DockerAddress("unix:///x"))
        assert Containers(engine, wanted, "sha256:1", (), 60).remove_leftovers() == 2
    assert [request.path for request in requests if "label" in request.path]
    removed = [request.path for request in requests if request.method == "DELETE"]
    assert all("v=True" in path and "force=True" in path for path in removed)
    assert len(removed) == 2


# of Podman 4.3
NOT_NOTED = "timed out waiting for file /run/libpod/exits/1: internal libpod error"


def test_what_podman_counts_as_stopped_only_when_it_has_given_up_is_removed_then() -> None:
    slow = (500, {"message": NOT_NOTED})
    answers: dict[tuple[str, str], t.Any] = {
        ("GET", "/containers/json"): (200, [{"Id": name, "Created": 1, "Labels": {}} for name in ("a", "b", "c")]),
        ("DELETE", "/containers/a"): [slow, (204, None)],
        ("DELETE", "/containers/b"): [slow, slow],
        ("DELETE", "/containers/c"): [(204, None)],
    }
    with answering(answers) as (engine, requests):
        containers = Containers(engine, Wanted("a/b:1", DockerAddress("unix:///x")), "sha256:1", (), 60)
        with pytest.raises(DockerEngineError, match="timed out waiting for file"):
            containers.remove()
    removed = [request.path.partition("?")[0][-1] for request in requests if request.method == "DELETE"]
    assert removed == ["a", "a", "b", "b", "c"], "one that cannot be removed keeps no other"


def test_so_it_is_by_podmans_program() -> None:
    asked: list[str] = []

    def run(argv: t.Sequence[str], **_more: t.Any) -> Completed:
        asked.append(argv[-1])
        slow = argv[-1] == "b" or asked.count(argv[-1]) == 1
        return Completed(125, "", f"Error: {NOT_NOTED}\n") if slow else Completed(0, "", "")

    engine = PodmanTrials("podman", run)
    engine.remove("a")
    with pytest.raises(PodmanError, match="timed out waiting for file"):
        engine.remove("b")
    assert asked == ["a", "a", "b", "b"]
