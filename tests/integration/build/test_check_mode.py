# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check mode of image_build says what the run after it does, and does nothing."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from tests.unit.module_utils.registry.conftest import StartRegistry, registry_program, start_registry

from .engine import Engine

__all__ = ["registry_program", "start_registry"]

pytestmark = pytest.mark.lab


def test_what_is_said_before_is_what_is_done(engine: Engine, source: Path) -> None:
    options: dict[str, t.Any] = {"tags": ["1"]}

    def run(check: bool) -> tuple[t.Any, ...]:
        """What a user reads of a run; without the ID of an image that is not built yet, and what depends on it."""
        try:
            result = engine.build("check", source, check=check, **options)
        except DeliveryError as error:
            return (str(error),)
        named = [(naming["reference"], naming["before"]) for naming in result["named"]]
        image = {**result["image"], "id": None, "config_digest": None} if result["built"] else result["image"]
        return (
            *(result[key] for key in ("changed", "built", "why", "inputs", "pulled")),
            named,
            result["diff"]["before"],
            image,
        )

    def held() -> dict[str, list[str]]:
        return {image["Id"]: image["RepoTags"] for image in engine.client.api.images(f"{engine.prefix}/check")}

    def same(**more: t.Any) -> tuple[t.Any, ...]:
        options.update(more)
        before = held()
        planned = run(check=True)
        assert held() == before
        assert [argv for argv in engine.commands if "build" in argv] == []
        assert planned == run(check=False)
        return planned

    assert same()[:2] == (True, True)
    assert same()[:2] == (False, False)
    (source / "app").write_text("two\n")
    assert same()[2] == ["the context changed: app changed"]
    assert same(tags=["1", "2"])[:2] == (True, False)
    (source / "app").write_text("one\n")
    assert same(tags=["2"])[1] is True
    (source / "app").write_text("two\n")
    assert same()[1:3] == (False, [f"{engine.prefix}/check:1 has the same inputs"])
    assert same(labels={"a": "b"}, rebuild="never")[1] is False
    assert same(rebuild="auto", immutable=["**:2"])[0].startswith("By 'immutable' these names may not move")
    options["immutable"] = []
    # the image that reads the Dockerfile is one of those that have to be there, and so is one that the platform names; but for a
    # registry that is not there, as it may come before the run
    for dockerfile, name in (
        ("FROM 127.0.0.1:1/none:1\nCOPY app /\n", "none:1"),
        ("# syntax=127.0.0.1:1/reader:1\nFROM scratch\nCOPY app /\n", "reader:1"),
        ("ARG OS=$TARGETOS\nFROM 127.0.0.1:1/none-$OS:1\nCOPY app /\n", "none-linux:1"),
    ):
        (source / "Dockerfile").write_text(dockerfile)
        planned = run(check=True)
        assert (planned[1], planned[4]) == (True, [f"127.0.0.1:1/{name}"])
        [warned] = [line for line in engine.progress if "is not known" in line]
        assert f"{name} (" in warned
        assert f"{name} (" in run(check=False)[0]
    assert "'pull_base' is never" in same(pull_base="never")[0]
    (source / "Dockerfile").write_text("FROM scratch\nCOPY none /\n")
    assert "there is no none in" in same()[0]
    (source / "Dockerfile").write_text("FROM scratch\nCOPY app /\n")
    assert "args.V has no effect" in same(args={"V": "1"})[0]


@pytest.mark.wide
def test_what_a_base_that_is_to_be_pulled_has_carried_out_is_known_before(
    own_home: None, source: Path, tmp_path: Path, start_registry: StartRegistry
) -> None:
    """By the registry that has it: one of this machine's, which its engine takes for one that may be plain."""
    engine = Engine("unix:///var/run/docker.sock", None)
    endpoint = start_registry().endpoint
    engine.prefix = endpoint
    base, name = tmp_path / "base", f"{endpoint}/base:1"
    base.mkdir()
    registry: dict[str, t.Any] = {"output": "registry", "registry": {"endpoint": endpoint, "tls": "plain"}}
    child: dict[str, t.Any] = {"tags": ["1"], "args": {"WHO": "me"}, "pull_base": "newer"}

    def refused(match: str, *, checks: t.Iterable[bool] = (True,), **options: t.Any) -> None:
        for check in checks:
            with pytest.raises(DeliveryError, match=match):
                engine.build("child", source, check=check, **{**child, **options})

    try:
        for copied in ("package", "other"):
            (base / "Dockerfile").write_text(
                f"FROM scratch\nCOPY Dockerfile /\nONBUILD ARG WHO\nONBUILD COPY {copied} /{copied}\n"
            )
            engine.build("base", base, tags=["1"], **registry)
            (source / "Dockerfile").write_text(f"FROM {name}\nCOPY app /app\n")
            refused(f"Dockerfile, line 1: ONBUILD COPY {copied} /{copied}: there is no {copied} in")
            (source / copied).touch()
            refused(r"args\.WHOM has no effect", args={"WHOM": "me"})
            assert (engine.id("base:1") is None) == (copied == "package")
            planned, done = (engine.build("child", source, check=check, **child) for check in (True, False))
            assert (planned["why"], planned["pulled"]) == (done["why"], done["pulled"])
            assert done["pulled"] == [name]
            assert copied in engine.files("child:1")
            assert not engine.build("child", source, **child)["changed"]
            (source / copied).unlink()
            refused(f"there is no {copied} in", checks=(True, False))
    finally:
        engine.client.images.remove(name, force=True)
        engine.clean()
