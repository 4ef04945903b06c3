# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images removed from a stand-in for an engine, by each client."""

from __future__ import annotations

import json
import re
import typing as t
import urllib.parse
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed, Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.image import local_engine
from ansible_collections.longshore.delivery.plugins.module_utils.image.image_prune import CAPABILITY
from ansible_collections.longshore.delivery.plugins.module_utils.node.discovery import Seen
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import Engine
from tests import returned
from tests.http_server import Reply, Request, json_reply

from .ways import WAYS, way

WEB = "registry.example:5000/shop/web"
DIGITS = re.compile(r"\b[0-9a-f]{64}\b")
TWO, ONE, USED, STEP, NAMELESS = ("sha256:" + digit * 64 for digit in "12345")


class Holding:
    """Docker's API, as far as images go; as Podman's program the same.

    :ivar names: of each image that there is.
    :ivar created: when an image was, where that is known.
    :ivar labels: of an image, where it has some.
    :ivar refuses: names that cannot be removed; C(returns) ones that are there again at once.
    """

    def __init__(self) -> None:
        self.names = {ONE: [f"{WEB}:3"], TWO: [f"{WEB}:1", f"{WEB}:2"], USED: [f"{WEB}:4"], STEP: []}
        self.created: dict[str, str] = {}
        self.labels: dict[str, dict[str, str]] = {}
        self.refuses: set[str] = set()
        self.returns: set[str] = set()
        self.store: list[list[str]] = []
        self.asked: list[str] = []

    def listed(self, *, hidden: bool) -> list[dict[str, t.Any]]:
        return [
            {"Id": one, "RepoTags": names, "Names": names, "ParentId": STEP if one == ONE else ""}
            for one, names in self.names.items()
            if hidden or one != STEP
        ]

    def inspected(self, one: str) -> dict[str, t.Any]:
        layers = {ONE: [STEP, ONE]}.get(one, [one])
        size = 10 * len(layers)
        shown = {"Id": one, "Os": "linux", "Architecture": "amd64", "Size": size, "RootFS": {"Layers": layers}}
        shown["Parent"] = STEP if one == ONE else ""  # Podman tells it here
        return {**shown, "Created": self.created.get(one), "Config": {"Labels": self.labels.get(one)}}

    def remove(self, name: str) -> bool:
        self.asked.append(name)
        if name in self.refuses:
            return False
        for one, names in list(self.names.items()):
            if name in (one, *names) and name not in self.returns:
                self.names[one] = [other for other in names if other != name]
                if not self.names[one]:
                    del self.names[one]
        return True

    def answer(self, request: Request) -> Reply:
        url = urllib.parse.urlsplit(request.path)
        path = urllib.parse.unquote(url.path)
        subject = path.partition("/images/")[2]
        if path.endswith("/version"):
            return json_reply({"ApiVersion": "1.45", "MinAPIVersion": "1.24"})
        if path.endswith("/info"):
            return json_reply({"DriverStatus": self.store})
        if path.endswith("/containers/json"):
            assert "all=1" in url.query
            return json_reply([{"Id": "c" * 64, "Names": ["/web"], "ImageID": USED}])
        if path.endswith("/images/json"):
            return json_reply(self.listed(hidden="all=1" in url.query))
        if request.method == "DELETE":
            assert "force=1" not in url.query
            assert "force=True" not in url.query
            return json_reply([]) if self.remove(subject) else json_reply({"message": "conflict: being used"}, 409)
        if subject.endswith("/history"):
            return json_reply([])
        return json_reply(self.inspected(subject.rpartition("/json")[0]))

    def podman(self, argv: t.Sequence[str], **_more: t.Any) -> Completed:
        """With IDs as Podman writes them, without the algorithm, and reads them."""
        assert not any(word.startswith("sha256:") for word in argv)
        done = self._podman([DIGITS.sub(r"sha256:\g<0>", word) for word in argv[1:]])
        return Completed(
            done.rc, done.stdout.replace('Id": "sha256:', 'Id": "').replace('ID": "sha256:', 'ID": "'), done.stderr
        )

    def _podman(self, words: list[str]) -> Completed:
        if words[0] == "images":
            return Completed(0, json.dumps(self.listed(hidden="--all" in words)), "")
        if words[0] == "ps":
            assert {"--all", "--external"} <= set(words)
            return Completed(0, json.dumps([{"Id": "c" * 64, "Names": ["web"], "ImageID": USED}]), "")
        if words[0] == "history":
            # what Podman counts as a layer's bytes is a part of what it counts as the image's
            layers = self.inspected(words[-1])["RootFS"]["Layers"]
            return Completed(0, json.dumps([{"size": 0}, *({"size": 9} for _layer in layers)]), "")
        if words[:2] == ["image", "inspect"]:
            return Completed(0, json.dumps([self.inspected(one) for one in words[2:]]), "")
        assert words[0] == "rmi"
        removed = self.remove(words[1])
        return Completed(0, "", "") if removed else Completed(2, "", "Error: conflict: being used")


class Asked:
    """image_prune with an engine of each kind."""

    def __init__(self, kind: str, engine: Holding, options: dict[str, t.Any]) -> None:
        self.kind = kind
        self.engine = engine
        self._options = options

    def prune(self, *, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        defaults = {name: option.get("default") for name, option in CAPABILITY.argument_spec.items()}
        context = Context(check, True, pytest.fail, lambda line: None, self.engine.podman)
        return returned.run("image_prune", {**defaults, **self._options, **options}, context)


@pytest.fixture(params=WAYS)
def asked(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Asked]:
    engine = Holding()
    with way(request.param, engine.answer, tmp_path, monkeypatch) as options:
        yield Asked(request.param, engine, options)


def test_check_mode_says_what_goes_and_a_second_time_nothing_does(asked: Asked) -> None:
    options: dict[str, t.Any] = {"globs": [f"{WEB}:?"]}
    foretold = asked.prune(check=True, **options)
    assert asked.engine.asked == []
    assert asked.prune(**options) == foretold
    whole = {one["id"]: one["whole"] for one in foretold["removed"]}
    assert whole == {TWO: True, ONE: True, STEP: True}
    assert foretold["bytes_gained"] == (27 if asked.kind == "podman" else 30)
    assert [(one["id"], one["why"]) for one in foretold["kept"]] == [(USED, "in use by web")]
    assert f"{WEB}:3 {ONE}\n" in foretold["diff"]["before"]
    assert asked.engine.names == {USED: [f"{WEB}:4"]}
    again = asked.prune(**options)
    assert (again["changed"], again["removed"]) == (False, [])


def test_one_name_of_several(asked: Asked) -> None:
    gone = asked.prune(references=[f"{WEB}:1"])
    assert gone["removed"] == [{"id": TWO, "references": [f"{WEB}:1"], "whole": False, "size": 10}]
    assert gone["bytes_gained"] == 0
    assert asked.engine.asked == [f"{WEB}:1"]


@pytest.mark.parametrize(
    ("options", "gone"),
    [
        ({"references": [f"{WEB}:1", f"{WEB}:2"]}, {TWO}),
        ({"references": [TWO[:19]]}, {TWO}),
        ({"globs": ["shop/web:3"]}, {ONE}),
        ({"labels": ["team=shop"]}, {TWO}),
        ({"labels": ["team"]}, {ONE, TWO}),
        ({"dangling": True}, {NAMELESS}),
        ({"dangling": False, "labels": ["tier=web"]}, {TWO}),
        ({"older_than": "300d"}, {ONE, TWO}),
        ({"keep": 2}, {ONE}),
    ],
)
def test_each_option_says_what_goes(asked: Asked, options: dict[str, t.Any], gone: set[str]) -> None:
    engine = asked.engine
    engine.names[NAMELESS] = []
    engine.created = {ONE: "2020-01-01T00:00:00Z", TWO: "2020-01-02T00:00:00Z", USED: "2020-01-03T00:00:00Z"}
    engine.labels = {ONE: {"team": "other"}, TWO: {"team": "shop", "tier": "web"}, NAMELESS: {"tier": "web"}}
    before = {one for one, names in engine.names.items() if one != STEP}
    removed = asked.prune(**options)["removed"]
    assert {one["id"] for one in removed if one["id"] != STEP} == gone
    assert before - set(engine.names) == gone


def test_as_many_as_are_to_be_kept_are_and_no_more(asked: Asked) -> None:
    asked.engine.created = {ONE: "2026-01-01T00:00:00Z", TWO: "2026-01-02T00:00:00Z", USED: "2026-01-01T00:00:00Z"}
    assert asked.prune(keep=3)["removed"] == []
    assert ONE in [one["id"] for one in asked.prune(keep=1)["removed"]]
    assert {TWO, USED} <= set(asked.engine.names)


def test_a_failure_says_whether_something_went_before(asked: Asked) -> None:
    asked.engine.refuses = {f"{WEB}:1"}
    with pytest.raises(DeliveryError, match="being used") as raised:
        asked.prune(globs=[f"{WEB}:1"])
    assert raised.value.facts["changed"] is False
    with pytest.raises(DeliveryError, match="being used") as raised:
        asked.prune(references=[f"{WEB}:3", f"{WEB}:1"])
    assert raised.value.facts["changed"] is True
    assert raised.value.facts["engine"]


def test_an_image_that_lost_one_of_its_names_before_a_failure_has_changed(asked: Asked) -> None:
    asked.engine.refuses = {f"{WEB}:2"}
    with pytest.raises(DeliveryError, match="being used") as raised:
        asked.prune(references=[f"{WEB}:1", f"{WEB}:2"])
    assert raised.value.facts["changed"] is True
    assert asked.engine.names[TWO] == [f"{WEB}:2"]


def test_what_is_there_again_is_said(asked: Asked) -> None:
    asked.engine.returns = {f"{WEB}:1"}
    with pytest.raises(DeliveryError, match=f"afterwards {WEB}:1 is there") as raised:
        asked.prune(references=[f"{WEB}:1"])
    assert raised.value.facts["changed"] is True


def test_containerds_store_in_docker_tells_no_bytes(asked: Asked) -> None:
    asked.engine.store = [["driver-type", "io.containerd.snapshotter.v1"]]
    found = asked.prune(check=True, references=[f"{WEB}:3"])
    assert found["bytes_gained"] == (18 if asked.kind == "podman" else None)


def test_the_cri_is_left_to_the_kubelet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    containerd = Engine("containerd", "", "", socket="/run/c.sock", listens=True)
    monkeypatch.setattr(local_engine, "look", lambda: Seen((containerd,), programs={"crictl": "/usr/bin/crictl"}))
    with pytest.raises(DeliveryError, match="The kubelet"):
        Asked("cri", Holding(), {}).prune(dangling=True)
