# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pulls of one call: what one failure keeps from being tried, and that no engine is believed."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.node.choice import Chosen
from ansible_collections.longshore.delivery.plugins.module_utils.node.client import EngineRefusal
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import Engine
from ansible_collections.longshore.delivery.plugins.module_utils.node.held_images import HeldImage
from ansible_collections.longshore.delivery.plugins.module_utils.node.login import Login
from ansible_collections.longshore.delivery.plugins.module_utils.pull import image_pull
from ansible_collections.longshore.delivery.plugins.module_utils.pull.image_pull import Pulls
from ansible_collections.longshore.delivery.plugins.module_utils.pull.pull_plan import PullStep
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference
from ansible_collections.longshore.delivery.plugins.module_utils.running import run_command
from tests import returned

DIGEST = "sha256:" + "1" * 64


class Scripted:
    """An engine that says for each repository what happens."""

    sets_tags = True

    def __init__(self, says: dict[str, str], lies: bool = False) -> None:
        self._says = says
        self._lies = lies
        self.asked: list[str] = []
        self._held: list[HeldImage] = []

    def images(self) -> list[HeldImage]:
        return self._held

    def pull(self, reference: Reference, login: Login | None) -> None:
        self.asked.append(reference.repository)
        if reference.repository in self._says:
            raise EngineRefusal(self._says[reference.repository])
        if not self._lies:
            self._held.append(HeldImage.of("id", [str(reference)]))

    def tag(self, reference: Reference) -> None:
        raise EngineRefusal("no tags here")

    def remove(self, reference: Reference) -> None:
        raise AssertionError("a pull takes nothing away")


def params(*names: str) -> dict[str, t.Any]:
    return {"images": [f"{name}@{DIGEST}" for name in names], "engine": "docker"}


@pytest.fixture
def pull(monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., dict[str, t.Any]]:
    """Run the capability with an engine, and return its result or what its error adds to one."""

    def run(engine: Scripted, *names: str) -> dict[str, t.Any]:
        docker = Engine(name="docker", version="26.1.5", config_file="")
        monkeypatch.setattr(image_pull, "look", lambda: None)
        monkeypatch.setattr(image_pull, "choose", lambda *arguments: Chosen(docker, "it was asked for"))
        monkeypatch.setattr(image_pull, "image_store", lambda *arguments: engine)
        context = Context(False, True, lambda warning: None, lambda line: None, run_command)
        try:
            return returned.run("image_pull", params(*names), context)
        except DeliveryError as error:
            return {**error.facts, "failed": True, "msg": str(error)}

    return run


def steps(*names: str) -> list[PullStep]:
    return [PullStep(Reference.parse(f"{name}@{DIGEST}"), pull=True, tag=False) for name in names]


def test_one_image_that_is_missing_keeps_no_other_from_being_pulled() -> None:
    engine = Scripted({"a": "manifest unknown"})
    pulls = Pulls(engine, "docker on n1", None)
    wanted = steps("registry.example/a", "registry.example/b")
    pulls.apply(wanted)
    pulls.verify(wanted)
    assert engine.asked == ["a", "b"]
    assert [str(reference.repository) for reference in pulls.seconds] == ["b"]
    assert [error.kind for error in pulls.failures.values()] == ["not_found"]


def test_a_registry_that_cannot_be_reached_is_tried_once() -> None:
    engine = Scripted({"a": "dial tcp 192.0.2.1:443: i/o timeout"})
    pulls = Pulls(engine, "docker on n1", None)
    pulls.apply(steps("registry.example/a", "registry.example/b", "other.example/c"))
    assert engine.asked == ["a", "c"]
    assert [reference.repository for reference in pulls.failures] == ["a", "b"]


def test_an_engine_is_not_believed_but_asked_again() -> None:
    pulls = Pulls(Scripted({}, lies=True), "docker on n1", None)
    wanted = steps("registry.example/a")
    pulls.apply(wanted)
    pulls.verify(wanted)
    assert not pulls.seconds
    assert ["does not list it by this digest" in str(error) for error in pulls.failures.values()] == [True]


def test_an_image_that_was_pulled_is_there_though_its_tag_could_not_be_set(
    pull: t.Callable[..., dict[str, t.Any]],
) -> None:
    result = pull(Scripted({}), "registry.example/a:1", "registry.example/b")
    assert "Setting the tag of registry.example/a:1@" in result["msg"]
    assert result["changed"] is True
    assert [(image["present"], image["pulled"]) for image in result["images"]] == [(True, True), (True, True)]
    assert all(image["seconds"] >= 0 for image in result["images"])
    # held, and not by the tag that was wanted
    assert result["diff"]["after"] == f"registry.example/a@{DIGEST}\nregistry.example/b@{DIGEST}\n"


def test_an_engine_that_falls_silent_after_a_pull_has_changed(pull: t.Callable[..., dict[str, t.Any]]) -> None:
    class Dying(Scripted):
        def images(self) -> list[HeldImage]:
            if self.asked:
                raise EngineRefusal("connection refused")
            return []

    result = pull(Dying({}), "registry.example/a", "registry.example/b")
    assert "Listing the images" in result["msg"]
    assert result["changed"] is True
    assert [image["pulled"] for image in result["images"]] == [True, True]


def test_what_the_engine_does_not_list_is_no_change(pull: t.Callable[..., dict[str, t.Any]]) -> None:
    result = pull(Scripted({}, lies=True), "registry.example/a")
    assert result["changed"] is False
    assert [(image["present"], image["pulled"], image["seconds"]) for image in result["images"]] == [(False, False, 0)]
    assert result["diff"]["after"] == ""
