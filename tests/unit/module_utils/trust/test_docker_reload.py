# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Docker is expected to say after a reload: what stands in its file, not what the ledger remembers of it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.node.processes import Process, running
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.trust import engine_control
from ansible_collections.longshore.delivery.plugins.module_utils.trust import ledger as ledgers
from tests.http_server import AnsweringServer, Reply, Request, json_reply

from .node import Node

Make = t.Callable[..., RegistrySettings]
DAEMON_JSON = "etc/docker/daemon.json"
ONE, TWO, THREE = "10.0.0.5:5000", "10.0.0.6:5000", "10.0.0.7:5000"


class ReloadingDocker:
    """Shows the registries that it does not verify, and reads them anew on SIGHUP, as Docker 20.10 to 29 does it.

    A file without the list, or a broken one, leaves it as it was.

    :ivar hears: whether it takes a reload over.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.insecure: list[str] = []
        self.hears = True

    def reload(self, _number: int, _frame: object) -> None:
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
            settings = json.loads(self.file.read_text())
            if self.hears:
                self.insecure = settings.get("insecure-registries", self.insecure)

    def answer(self, request: Request) -> Reply:
        assert request.path == "/info"
        return json_reply({"RegistryConfig": {"IndexConfigs": {name: {"Secure": False} for name in self.insecure}}})


def this_process() -> Process:
    """The tests' own process, which stands in for the daemon's."""
    name = Path("/proc/self/comm").read_text().rstrip("\n")
    return next(process for process in running([name])[name] if process.pid == os.getpid())


@pytest.fixture
def docker(node: Node) -> t.Iterator[ReloadingDocker]:
    """The Docker of this node runs."""
    standing_in = ReloadingDocker(node.root / DAEMON_JSON)
    socket = node.root / "docker.sock"
    before = signal.signal(signal.SIGHUP, standing_in.reload)
    with AnsweringServer(standing_in.answer, address=socket):
        node.docker = {"daemon": this_process(), "socket": str(socket), "insecure": ()}
        yield standing_in
    signal.signal(signal.SIGHUP, before)


def in_file(node: Node) -> list[str]:
    return t.cast("list[str]", json.loads(node.read(DAEMON_JSON))["insecure-registries"])


def recorded(node: Node) -> list[str]:
    """The entries of Docker's file that count as the collection's."""
    record = ledgers.load(node.locations).records.get(str(node.root / DAEMON_JSON))
    return [entry.value for entry in record.entries] if record else []


def leave_reload_undone(node: Node) -> None:
    """As a run that was cut off before it."""
    ledgers.save(dataclasses.replace(ledgers.load(node.locations), pending={"docker": "reload"}), node.locations)


def test_an_entry_that_somebody_took_out_is_not_asked_for(node: Node, docker: ReloadingDocker, registry: Make) -> None:
    node.serve(registry("plain", ONE))
    assert docker.insecure == [ONE]
    node.write(DAEMON_JSON, json.dumps({"insecure-registries": [THREE], "debug": True}))
    node.serve(registry("plain", TWO))
    assert docker.insecure == in_file(node) == [THREE, TWO]
    assert recorded(node) == [TWO]
    node.write(DAEMON_JSON, json.dumps({"insecure-registries": [ONE, *in_file(node)]}))  # now it is theirs
    node.serve(absent=True)
    assert docker.insecure == in_file(node) == [ONE, THREE]


def test_an_entry_that_somebody_took_out_is_not_asked_for_when_another_is_taken_away(
    node: Node, docker: ReloadingDocker, registry: Make
) -> None:
    node.serve(registry("plain", ONE), registry("plain", TWO))
    node.write(DAEMON_JSON, json.dumps({"insecure-registries": [TWO]}))
    node.serve(registry("plain", TWO), absent=True)
    assert docker.insecure == []
    assert recorded(node) == []


def test_what_is_put_back_is_asked_for_as_it_was(
    node: Node, docker: ReloadingDocker, registry: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_control, "RELOAD_WAIT", 0.1)
    node.serve(registry("plain", ONE))
    node.write(DAEMON_JSON, json.dumps({"insecure-registries": [THREE]}))

    def fail(_actions: t.Any) -> None:
        assert docker.insecure == [THREE, TWO]
        raise DeliveryError("no pull")

    node.before_step = fail
    with pytest.raises(DeliveryError, match=r"no pull\. Every file is as it was before this run, and the engines have"):
        node.serve(registry("plain", TWO))
    assert docker.insecure == in_file(node) == [THREE]


@pytest.mark.parametrize("absent", [False, True])
def test_a_docker_that_does_not_take_its_file_over_is_found_out(
    node: Node, docker: ReloadingDocker, registry: Make, absent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_control, "RELOAD_WAIT", 0.1)
    node.serve(registry("plain", ONE))
    docker.hears = False
    words = f"Docker still lists {ONE}" if absent else f"Docker does not list {TWO}"
    with pytest.raises(DeliveryError, match=words):
        node.serve(registry("plain", ONE if absent else TWO), absent=absent)
    assert in_file(node) == [ONE]


@pytest.mark.parametrize("left", [[], [ONE]], ids=["restarted since", "not restarted since"])
def test_a_reload_that_was_left_undone_asks_for_nothing_of_a_file_without_the_list(
    node: Node, docker: ReloadingDocker, registry: Make, left: list[str]
) -> None:
    node.serve(registry("plain", ONE))
    node.write(DAEMON_JSON, '{"debug": true}')
    docker.insecure = left
    leave_reload_undone(node)
    node.serve(registry("ca", TWO))
    assert docker.insecure == left


def test_a_reload_that_was_left_undone_names_a_broken_file(node: Node, docker: ReloadingDocker, registry: Make) -> None:
    node.serve(registry("plain", ONE))
    node.write(DAEMON_JSON, "{")
    leave_reload_undone(node)
    with pytest.raises(DeliveryError, match=r"docker does not take over its files: \S+/daemon\.json: line 1: "):
        node.serve(registry("ca", TWO))
