# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Docker's classic builder, by the API of real engines, and what happens where BuildKit is missing."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.build.definition import read_definition
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError

from .engine import Engine

pytestmark = [pytest.mark.lab, pytest.mark.wide]

CLASSIC: dict[str, t.Any] = {"tags": ["1"], "engine": "docker_classic"}


def test_it_builds_what_changed_and_needs_no_command(engine: Engine, source: Path, shell: str) -> None:
    (source / "Dockerfile").write_text(
        f"ARG UNUSED\nFROM {shell} AS tools\nARG SAYS\nRUN echo $SAYS; [ $SAYS = one ] || read -r a < /etc/hosts\n"
        "RUN while read -r line; do echo $line; done < /etc/hosts\nFROM tools AS last\nCOPY app /dir/app\n"
        "FROM scratch\nCOPY none /\n"
    )
    options = {
        **CLASSIC,
        "args": {"SAYS": engine.prefix},
        "labels": {"quoted": 'a "b" $c'},
        "target": "last",
        "network": "none",
        "extra_hosts": {"four.example": "192.0.2.1"},
    }
    first = engine.build("classic", source, **options)
    assert (first["engine"], first["builder"], engine.commands) == ("docker", "classic", [])
    assert engine.id("classic:1") == first["image"]["id"]
    assert engine.prefix in first["log"]
    assert "192.0.2.1 four.example" in [" ".join(line.split()) for line in first["log"]]
    assert engine.client.images.get(f"{engine.prefix}/classic:1").labels["quoted"] == 'a "b" $c'
    assert not any(step["cached"] for step in first["steps"] if "RUN" in step["step"])
    assert not engine.build("classic", source, **options)["changed"]
    always = engine.build("classic", source, rebuild="always", **options)
    assert (always["built"], always["changed"]) == (True, False)
    assert all(step["cached"] for step in always["steps"] if "RUN" in step["step"])
    again = engine.build("classic", source, rebuild="always", no_cache=True, **options)
    assert not any(step["cached"] for step in again["steps"])
    (source / "app").write_text("two\n")
    changed = engine.build("classic", source, **options)
    assert changed["why"] == ["the context changed: app changed"]
    assert "Dockerfile" not in engine.files_below("classic:1", "dir")


def test_it_receives_what_the_walk_finds(engine: Engine, source: Path, tmp_path: Path) -> None:
    text = "FROM scratch\nCOPY . /received/\n"
    (source / "sub" / "deep").mkdir(parents=True)
    (source / "sub" / "deep" / "kept").write_text("kept")
    (source / "sub" / "left").touch()
    (source / "link").symlink_to("sub/deep")
    outside = tmp_path / "Outside"
    outside.write_text(text)
    for rules, place in (
        ("sub\n!sub/deep\n", None),
        ("sub\n!sub/deep\n.dockerignore\nDockerfile\n", None),
        ("*\n!link\n", str(outside)),
        ("*\n!sub/deep\n", "inline"),
    ):
        (source / ".dockerignore").write_text(rules)
        (source / "Dockerfile").write_text(text)
        options: dict[str, t.Any] = (
            {"dockerfile_inline": text} if place == "inline" else {"dockerfile": place or "Dockerfile"}
        )
        engine.build("received", source, **CLASSIC, **options)
        found = read_definition(str(source), options.get("dockerfile", ""), options.get("dockerfile_inline")).context
        assert engine.files_below("received:1", "received") == found.entries


def test_a_failing_instruction_is_named_and_nothing_stays(engine: Engine, source: Path, shell: str) -> None:
    # without a step before it, whose image would stay as a part of the cache
    (source / "Dockerfile").write_text(f"FROM {shell}\n\nRUN echo one; \\\n  echo two; exit 3\n")
    with pytest.raises(
        DeliveryError, match=r"Dockerfile, line 3, RUN echo one; +echo two; exit 3: it ended with exit code 3\.\n"
    ) as caught:
        engine.build("failing", source, network="none", **CLASSIC)
    assert caught.value.facts["log"] == ["one", "two"]
    assert re.match(r"\[2/\d\] RUN echo one;", caught.value.facts["failed_step"])
    assert engine.id("failing:1") is None
    assert engine.client.containers.list(all=True, filters={"ancestor": shell}) == []


def test_a_wildcard_without_a_match_is_explained(engine: Engine, source: Path) -> None:
    """BuildKit copies nothing then, and builds."""
    for line, match in (
        (
            "COPY *.log /x/",
            r"line 3, COPY \*\.log /x/: \*\.log matches a\.log, .* by .*\.dockerignore, line 1: \*\.log\.",
        ),
        ("ADD *.none /x/", r"line 3, ADD \*\.none /x/: nothing in .*/source matches \*\.none\."),
    ):
        (source / "a.log").touch()
        (source / "Dockerfile").write_text(f"FROM scratch\n\n{line}\n")
        with pytest.raises(DeliveryError, match=match):
            engine.build("wildcard", source, **CLASSIC)
        assert engine.id("wildcard:1") is None
        assert engine.build("wildcard-by-buildkit", source, tags=["1"])["built"]


def test_it_is_taken_where_buildx_is_missing_and_nothing_needs_buildkit(
    engine: Engine, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert engine.build("without", source, tags=["1"])["builder"] == "classic"
    (source / "Dockerfile").write_text("FROM scratch\nRUN --mount=type=ssh x\n")
    for options, match in (
        ({}, r"docker command, which is not in PATH .*Dockerfile needs BuildKit: line 2, RUN with --mount\."),
        ({"engine": "docker_classic"}, r"'engine' is docker_classic.*needs BuildKit: line 2, RUN with --mount\."),
        (
            {"dockerfile_inline": "FROM scratch\nCOPY app /", "cache_to": {"type": "inline"}},
            r"'cache_to' needs BuildKit\.",
        ),
    ):
        with pytest.raises(DeliveryError, match=match):
            engine.build("without", source, check=True, tags=["1"], **options)
