# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""image_set on dock's engine: a base and two images on it, audited and tried, and one that fails before it could be pushed."""

from __future__ import annotations

import dataclasses
import typing as t
from pathlib import Path

import docker
import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.running import run_command
from ansible_collections.longshore.delivery.plugins.modules.image_set import CAPABILITY
from tests import returned
from tests.integration.trial.images import GOOD, PORT, USER, Images
from tests.lab.nodes import BUILDER
from tests.unit.module_utils.registry.certificates import Certificates

from .engine import PLACES, Engine

pytestmark = [pytest.mark.lab, pytest.mark.wide]

SECRET = "a-long-secret-7c2e"


@dataclasses.dataclass
class Run:
    result: dict[str, t.Any]
    message: str
    said: list[str]

    def image(self, name: str) -> dict[str, t.Any]:
        return next(image for image in self.result["images"] if image["name"].endswith(name))

    def said_of(self, word: str) -> list[str]:
        return [line for line in self.said if word in line]


class Shop:
    """The sources of three images, and image_set over them."""

    def __init__(self, engine: Engine, root: Path, busybox: str) -> None:
        self.engine = engine
        self.root = root
        for name in ("base", "web", "tools"):
            (root / name).mkdir()
        (root / "base" / "Dockerfile").write_text(f"FROM {busybox}\nLABEL base=1\n")
        (root / "web" / "Dockerfile").write_text(
            f"ARG BASE\nFROM ${{BASE}}\nCOPY note /www/\nUSER {USER}\nEXPOSE {PORT}\n"
        )
        (root / "web" / "note").write_text("one\n")
        (root / "tools" / "Dockerfile").write_text(f"FROM {engine.prefix}/base:1\nCOPY tool /\n")
        (root / "tools" / "tool").write_text("a tool\n")

    def run(self, *, check: bool = False, **web: t.Any) -> Run:
        own = self.engine.prefix.partition("/")[2]
        audit = {"fail_on": "high"}
        # the base last: by what the others name it, it comes first
        images = [
            {"name": f"{own}/tools", "tags": ["1"], "source": "tools", "audit": audit},
            {
                "name": f"{own}/web",
                "tags": ["1"],
                "source": "web",
                "bases": {"BASE": f"{own}/base:1"},
                "audit": audit,
                "trial": {"health": "/health"},
                "trial_secrets": {"DB_PASSWORD": SECRET},
                **web,
            },
            {"name": f"{own}/base", "tags": ["1"], "source": "base"},
        ]
        given = {"images": images, "endpoint": "longshore.test", "source_root": str(self.root), **self.engine.options}
        checked = ArgumentSpecValidator(CAPABILITY.argument_spec).validate(given)
        assert checked.error_messages == []
        run = Run({}, "", [])
        context = Context(
            check=check, diff=True, warn=run.said.append, progress=run.said.append, run_command=run_command
        )
        try:
            run.result = returned.run("image_set", checked.validated_parameters, context)
        except DeliveryError as error:
            run.result, run.message = error.facts, str(error)
        self.engine.built += [
            image["build"]["image"]["id"]
            for image in run.result.get("images", ())
            if image["build"] and image["build"].get("built") and not check
        ]
        return run


@pytest.fixture(scope="module")
def shop(own_home: None, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Shop]:
    engine = Engine(BUILDER, PLACES.builder)
    images = Images(engine.client, engine.prefix)
    yield Shop(engine, tmp_path_factory.mktemp("shop"), images.make("good", GOOD))
    engine.client.images.remove(f"{engine.prefix}/base:1", force=True)
    for name in ("web", "tools"):
        engine.client.images.remove(f"{engine.prefix}/{name}:1", force=True)
    images.remove()
    engine.clean()


@pytest.fixture(scope="module")
def foretold(shop: Shop) -> Run:
    return shop.run(check=True)


@pytest.fixture(scope="module")
def first(shop: Shop, foretold: Run) -> Run:
    return shop.run()


@pytest.fixture(scope="module")
def second(shop: Shop, first: Run) -> Run:
    return shop.run()


def test_check_mode_says_what_would_be_built_and_judges_nothing(foretold: Run) -> None:
    assert foretold.message == ""
    assert foretold.result["changed"]
    assert [image["build"]["built"] for image in foretold.result["images"]] == [True, True, True]
    # what the others stand on is pulled from nowhere, it is built before
    assert [image["build"]["pulled"] for image in foretold.result["images"]] == [[], [], []]
    assert foretold.image("web")["audit"]["verdict"] == "not asked"
    assert foretold.image("web")["trial"]["verdict"] == "not asked"


def test_those_on_a_base_are_built_after_it_wherever_it_stands(shop: Shop, first: Run) -> None:
    assert first.message == ""
    assert first.result["changed"]
    base = shop.engine.client.images.get(f"{shop.engine.prefix}/base:1")
    for name in ("web", "tools"):
        image = shop.engine.client.images.get(f"{shop.engine.prefix}/{name}:1")
        assert image.attrs["RootFS"]["Layers"][: len(base.attrs["RootFS"]["Layers"])] == base.attrs["RootFS"]["Layers"]
        assert first.image(name)["build"]["image"]["id"] == image.id
    assert {diff["after_header"].rpartition("/")[2] for diff in first.result["diff"]} == {"base:1", "web:1", "tools:1"}


def test_what_was_asked_for_is_audited_and_tried(first: Run) -> None:
    assert first.image("web")["audit"]["verdict"] == first.image("web")["trial"]["verdict"] == "pass"
    assert {row["factor"] for row in first.image("web")["trial"]["twelve_factors"]} == set(range(1, 13))
    assert (first.image("tools")["trial"], first.image("base")["audit"]) == (None, None)
    assert first.said_of("web:1: audit, ")
    assert first.said_of("stops: pass")


def test_a_second_run_changes_nothing_and_judges_nothing_again(second: Run) -> None:
    assert not second.result["changed"]
    assert "diff" not in second.result
    # side by side, so in any order
    assert sorted(line.partition(":1: ")[2].partition(":")[0] for line in second.said) == [
        "audit passed before",
        "audit passed before",
        "trial passed before",
    ]
    assert second.image("web")["trial"]["judged_before"]


def test_a_key_in_an_image_stops_it_there_and_the_next_run_says_so_again(
    shop: Shop, second: Run, tmp_path: Path
) -> None:
    """It has no name and is built once; a base or a name that is judged otherwise is of no matter to the others."""
    name = f"{shop.engine.prefix}/web:1"
    before = shop.engine.id("web:1")
    (shop.root / "web" / "note").write_text(Certificates(tmp_path).authority().key_file.read_text())
    without: dict[str, t.Any] = {"trial": None, "trial_secrets": {}}
    seen: list[bool] = []
    for built in (True, False, False):
        failed = shop.run(check=seen == [True, False], **without)
        assert "private_key in www/note" in failed.message
        [image] = failed.result["images"]
        assert image["audit"]["verdict"] == "fail"
        assert "private_key" in {finding["rule"] for finding in image["audit"]["findings"]}
        assert f"Names left as they were: {name} ({str(before)[7:19]})." in failed.message
        [withheld] = image["withheld"]
        assert (withheld["reference"], withheld["before"]) == (name, before)
        assert (image["build"]["named"], shop.engine.id("web:1")) == ([], before)
        assert image["build"]["built"] is built
        seen.append(built)
    held = shop.engine.client.images.get(withheld["after"])
    assert held.tags == []
    # judged otherwise it gets its name, as it is
    allowed = [{"rule": "private_key", "reason": "a test's"}]
    passed = shop.run(**without, audit={"fail_on": "high", "exceptions": allowed})
    assert (passed.message, passed.image("web")["build"]["built"]) == ("", False)
    assert passed.image("web")["build"]["why"] == ["the image that waits for its names has the same inputs"]
    assert passed.image("web")["build"]["named"] == [withheld]
    assert shop.engine.id("web:1") == held.id


def test_one_that_failed_goes_when_another_is_built(shop: Shop, second: Run, tmp_path: Path) -> None:
    (shop.root / "web" / "note").write_text(Certificates(tmp_path).authority().key_file.read_text())
    failed = shop.run(trial=None, trial_secrets={})
    [image] = failed.result["images"]
    (shop.root / "web" / "note").write_text("three\n")
    passed = shop.run()
    assert passed.message == ""
    assert shop.engine.id("web:1") == passed.image("web")["build"]["image"]["id"]
    with pytest.raises(docker.errors.ImageNotFound):
        shop.engine.client.images.get(image["build"]["image"]["id"])


def test_check_mode_knows_what_is_built_for_a_base_that_changes(shop: Shop, second: Run) -> None:
    with open(shop.root / "base" / "Dockerfile", "a") as file:
        file.write("LABEL base=2\n")
    foretold, done = shop.run(check=True), shop.run()
    for key in ("built", "why", "changed", "pulled"):
        told = [[image["build"][key] for image in run.result["images"]] for run in (foretold, done)]
        assert told[0] == told[1]
    assert foretold.image("tools")["build"]["why"] == [f"the base images changed: {shop.engine.prefix}/base:1 changed"]
    assert [image["build"]["inputs"] is None for image in foretold.result["images"]] == [True, True, False]
