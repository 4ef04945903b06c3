# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pulls of one call: what one failure keeps from being tried, and that no engine is believed."""

from __future__ import annotations

from ansible_collections.longshore.delivery.plugins.module_utils.node.client import EngineRefusal
from ansible_collections.longshore.delivery.plugins.module_utils.node.held_images import HeldImage
from ansible_collections.longshore.delivery.plugins.module_utils.node.login import Login
from ansible_collections.longshore.delivery.plugins.module_utils.pull.image_pull import Pulls
from ansible_collections.longshore.delivery.plugins.module_utils.pull.pull_plan import PullStep
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference

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
