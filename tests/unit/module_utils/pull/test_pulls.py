# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pulls of one call: what one failure keeps from being tried, and that no engine is believed."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed, Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.node.choice import Chosen
from ansible_collections.longshore.delivery.plugins.module_utils.node.client import EngineRefusal
from ansible_collections.longshore.delivery.plugins.module_utils.node.discovery import Seen
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import Engine
from ansible_collections.longshore.delivery.plugins.module_utils.node.held_images import HeldImage
from ansible_collections.longshore.delivery.plugins.module_utils.node.kubelet import Kubelet
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
        self.logins: list[Login | None] = []
        self._held: list[HeldImage] = []

    def images(self) -> list[HeldImage]:
        return self._held

    def pull(self, reference: Reference, login: Login | None) -> None:
        self.asked.append(reference.repository)
        self.logins.append(login)
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

    def run(engine: Scripted, *names: str, **options: t.Any) -> dict[str, t.Any]:
        docker = Engine(name="docker", version="26.1.5", config_file="")
        monkeypatch.setattr(image_pull, "look", lambda: None)
        monkeypatch.setattr(image_pull, "choose", lambda *arguments: Chosen(docker, "it was asked for"))
        monkeypatch.setattr(image_pull, "image_store", lambda *arguments: engine)
        context = Context(False, True, lambda warning: None, lambda line: None, run_command)
        try:
            return returned.run("image_pull", {**params(*names), **options}, context)
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


LOGIN = {"endpoint": "registry.example", "username": "ci", "password": "tide-and-time"}


@pytest.mark.parametrize(
    ("registry", "name", "given"),
    [
        (LOGIN, "registry.example/a", True),
        ({**LOGIN, "endpoint": "other.example"}, "registry.example/a", False),
        ({**LOGIN, "username": None, "password": None}, "registry.example/a", False),
        ({**LOGIN, "mirror_of": ["docker.io"]}, "registry.example/a", True),
        # where a registry is without a port depends on how it is spoken to
        (LOGIN, "registry.example:443/a", True),
        ({**LOGIN, "tls": "verified"}, "registry.example:80/a", False),
        ({**LOGIN, "tls": "unverified"}, "registry.example:443/a", True),
        ({**LOGIN, "tls": "plain"}, "registry.example:443/a", False),
        ({**LOGIN, "tls": "plain"}, "registry.example:80/a", True),
        (None, "registry.example/a", False),
    ],
)
def test_an_engine_gets_the_login_of_its_registry(
    pull: t.Callable[..., dict[str, t.Any]], registry: dict[str, t.Any] | None, name: str, given: bool
) -> None:
    engine = Scripted({})
    assert pull(engine, name, registry=registry)["changed"]
    [login] = engine.logins
    assert (login is not None) is given
    assert login is None or (login.username, login.password) == (LOGIN["username"], LOGIN["password"])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"ca": "registry.crt"}, "'ca' holds no certificate"),
        ({"tls": "none"}, "'tls' is 'none'"),
        ({"mirror_of": ["no/registry"]}, "no/registry"),
        ({"password": None}, "'password' is not"),
    ],
)
def test_a_registry_that_is_none_is_said(
    pull: t.Callable[..., dict[str, t.Any]], wrong: dict[str, t.Any], said: str
) -> None:
    engine = Scripted({})
    assert said in pull(engine, "registry.example/a", registry={**LOGIN, **wrong})["msg"]
    assert engine.asked == []


def test_the_engine_is_the_one_that_is_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each of them is here and takes no question."""
    names = ("docker", "containerd", "crio")
    sockets = {name: str(tmp_path / f"{name}.sock") for name in names}
    engines = tuple(Engine(name, "", "", socket=sockets[name], listens=True) for name in names)
    programs = {name: f"/usr/bin/{name}" for name in ("podman", "crictl")}

    def refused(argv: t.Sequence[str], **how: t.Any) -> Completed:
        return Completed(1, "", "Error: nobody answers")

    context = Context(False, True, lambda warning: None, lambda line: None, refused)
    for by_itself in ("docker", "containerd", "crio"):
        kubelet = Kubelet(runs=by_itself != "docker", socket="" if by_itself == "docker" else sockets[by_itself])
        seen = Seen(engines, kubelet, programs)
        monkeypatch.setattr(image_pull, "look", lambda seen=seen: seen)
        for wanted in ("auto", "podman", *names):
            expected = by_itself if wanted == "auto" else wanted
            with pytest.raises(DeliveryError, match=f"{expected} on "):
                returned.run("image_pull", {**params("registry.example/a"), "engine": wanted}, context)
