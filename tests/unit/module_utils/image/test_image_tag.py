# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names given, moved, refused and put back, by a stand-in for an engine that keeps names."""

from __future__ import annotations

import json
import typing as t
import urllib.parse
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed, Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.image import local_engine
from ansible_collections.longshore.delivery.plugins.module_utils.image.image_tag import CAPABILITY
from ansible_collections.longshore.delivery.plugins.module_utils.node.discovery import Seen
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import Engine
from tests import returned
from tests.http_server import Reply, Request, json_reply

from .ways import WAYS, way

NEW, OLD, NAMELESS = ("sha256:" + digit * 64 for digit in "123")
WEB = "registry.example:5000/shop/web"


class Named:
    """Docker's API, as far as names are concerned; as Podman's program the same.

    :ivar names: the image of each name.
    :ivar refuses: names that cannot be given; C(loses) ones that are not kept.
    """

    def __init__(self) -> None:
        self.names = {f"{WEB}:candidate": NEW, f"{WEB}:1": OLD}
        self.images = [NEW, OLD, NAMELESS]
        self.refuses: set[str] = set()
        self.loses: set[str] = set()
        self.given: list[tuple[str, str]] = []

    def listed(self) -> list[dict[str, t.Any]]:
        return [
            {"Id": image, "RepoTags": [name for name, owner in self.names.items() if owner == image]}
            for image in self.images
        ]

    def give(self, image: str, name: str) -> bool:
        self.given.append((image, name))
        if name in self.refuses:
            return False
        if name not in self.loses:
            self.names[name] = image
        return True

    def take(self, name: str) -> None:
        image = self.names.pop(name)
        if image not in self.names.values():
            self.images.remove(image)

    def answer(self, request: Request) -> Reply:
        url = urllib.parse.urlsplit(request.path)
        path, query = urllib.parse.unquote(url.path), dict(urllib.parse.parse_qsl(url.query))
        if path.endswith("/version"):
            return json_reply({"ApiVersion": "1.45", "MinAPIVersion": "1.24"})
        if path.endswith("/images/json"):
            return json_reply(self.listed())
        if request.method == "DELETE":
            self.take(path.partition("/images/")[2])
            return json_reply([])
        image = path.partition("/images/")[2].rpartition("/tag")[0]
        given = self.give(image, f"{query['repo']}:{query['tag']}")
        return json_reply({}, 201) if given else json_reply({"message": "no space left on device"}, 500)

    def podman(self, argv: t.Sequence[str], **_more: t.Any) -> Completed:
        """With IDs as Podman writes and reads them, without the algorithm."""
        if argv[1] == "images":
            listed = [{"Id": one["Id"].partition(":")[2], "Names": one["RepoTags"]} for one in self.listed()]
            return Completed(0, json.dumps(listed), "")
        if argv[1] == "rmi":
            self.take(argv[2])
            return Completed(0, "", "")
        given = self.give("sha256:" + argv[2], argv[3])
        return Completed(0, "", "") if given else Completed(125, "", "Error: no space left on device")


class Asked:
    """image_tag with an engine of each kind.

    :ivar warnings: what it warned of.
    """

    def __init__(self, engine: Named, options: dict[str, t.Any]) -> None:
        self.engine = engine
        self._options = options
        self.warnings: list[str] = []

    def tag(self, image: str, *names: str, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        defaults = {name: option.get("default") for name, option in CAPABILITY.argument_spec.items()}
        params = {**defaults, "image": image, "references": [f"{WEB}:{name}" for name in names]}
        context = Context(check, True, self.warnings.append, lambda line: None, self.engine.podman)
        return returned.run("image_tag", {**params, **self._options, **options}, context)


@pytest.fixture(params=WAYS)
def asked(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Asked]:
    engine = Named()
    with way(request.param, engine.answer, tmp_path, monkeypatch) as options:
        yield Asked(engine, options)


def test_names_are_given_and_moved_and_a_second_time_nothing_is_done(asked: Asked) -> None:
    foretold = asked.tag(f"{WEB}:candidate", "1", "2", check=True)
    assert asked.engine.given == []
    first = asked.tag(f"{WEB}:candidate", "1", "2")
    assert {**first, "diff": None} == {**foretold, "diff": None}
    assert first["diff"] == foretold["diff"]
    assert first["changed"]
    assert first["image_id"] == NEW
    assert [(one["reference"], one["before"], one["moved"]) for one in first["tags"]] == [
        (f"{WEB}:1", OLD, True),
        (f"{WEB}:2", None, False),
    ]
    assert first["diff"]["before"] == f"{WEB}:1 -> {OLD}\n"
    assert first["diff"]["after"] == f"{WEB}:1 -> {NEW}\n{WEB}:2 -> {NEW}\n"
    assert {asked.engine.names[f"{WEB}:{tag}"] for tag in ("1", "2", "candidate")} == {NEW}
    asked.engine.given.clear()
    second = asked.tag(NEW[:20], "1", "2")
    assert (second["changed"], asked.engine.given) == (False, [])


def test_an_immutable_name_keeps_all_from_being_given(asked: Asked) -> None:
    with pytest.raises(DeliveryError, match="By 'immutable'"):
        asked.tag(f"{WEB}:candidate", "2", "1", immutable=["**:1"])
    assert asked.engine.given == []
    assert asked.tag(f"{WEB}:candidate", "2", immutable=["**:2"])["changed"]


def test_what_was_done_before_a_failure_is_put_back(asked: Asked) -> None:
    before = dict(asked.engine.names)
    asked.engine.refuses = {f"{WEB}:3"}
    with pytest.raises(DeliveryError, match="no space left on device"):
        asked.tag(f"{WEB}:candidate", "1", "2", "3")
    assert asked.engine.names == before
    assert asked.engine.images == [NEW, OLD, NAMELESS]


def test_an_image_without_a_name_is_not_lost_by_putting_back(asked: Asked) -> None:
    asked.engine.refuses = {f"{WEB}:3"}
    with pytest.raises(DeliveryError, match="no space left on device"):
        asked.tag(NAMELESS, "2", "1", "3")
    assert asked.engine.names[f"{WEB}:1"] == OLD
    assert asked.engine.names[f"{WEB}:2"] == NAMELESS  # it would go with this name
    assert NAMELESS in asked.engine.images


def test_a_name_that_is_not_there_afterwards_is_said(asked: Asked) -> None:
    asked.engine.loses = {f"{WEB}:2"}
    with pytest.raises(DeliveryError, match=f"afterwards {WEB}:2 is not the image {NEW}"):
        asked.tag(f"{WEB}:candidate", "1", "2")


def test_an_image_that_is_not_there_is_an_error_and_in_check_mode_a_warning(asked: Asked) -> None:
    with pytest.raises(DeliveryError, match=f"has no image {WEB}:none") as raised:
        asked.tag(f"{WEB}:none", "2")
    assert raised.value.facts["engine"]
    assert asked.warnings == []
    foretold = asked.tag(f"{WEB}:none", "1", "2", check=True)
    assert len(asked.warnings) == 1
    assert (foretold["changed"], foretold["image_id"]) == (True, None)
    assert [one["moved"] for one in foretold["tags"]] == [True, False]
    assert f"{WEB}:2 -> the image to come" in foretold["diff"]["after"]


def test_the_cri_gives_no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    containerd = Engine("containerd", "", "", socket="/run/c.sock", listens=True)
    programs = {"crictl": "/usr/bin/crictl"}
    monkeypatch.setattr(local_engine, "look", lambda: Seen((containerd,), programs=programs))
    with pytest.raises(DeliveryError, match="the CRI, which gives images no names"):
        Asked(Named(), {}).tag(f"{WEB}:1", "2")
