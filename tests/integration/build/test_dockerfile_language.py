# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a Dockerfile says beside its own instructions, on the engines: patterns, ONBUILD, images that are not there."""

from __future__ import annotations

import random
import re
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile import words

from .engine import Engine

pytestmark = [pytest.mark.lab, pytest.mark.wide]

VALUES = {"A": "one.two/three*four?five", "B": "aabaab", "E": "", "D": "$0-$1-$$-${0}-\\}", "S": "/a//b/"}
PIECES = (
    *("a", "b", "o", "t", ".", "/", "*", "?", "e", "**", "#", "%", "two", "}"),
    *("\\*", "\\?", "\\\\", "\\}", "\\/", "\\x", '"\\*"', "'x*'", '"a?"', '"$B"', "${B#a}", "$D", "${N:-a\\/}"),
)


def patterns(count: int) -> t.Iterator[tuple[str, str]]:
    """Substitutions by a pattern, always the same, and what comes of each. None has an empty pattern, which ends an engine."""
    chosen = random.Random(20261122)
    while count:
        operator = chosen.choice(("#", "##", "%", "%%", "/", "//", ":#"))
        pattern = "".join(chosen.choices(PIECES, k=chosen.randint(1, 4)))
        instead = "/" + "".join(chosen.choices([*PIECES, "$E"], k=chosen.randint(0, 4))) if "/" in operator else ""
        text = f"${{{chosen.choice('AAABBBESND')}{operator}{pattern}{instead}}}"
        try:
            yield text, words.expand(text, VALUES)
        except words.UnreadableWord:
            continue
        count -= 1


def is_old(engine: Engine) -> bool:
    return bool(engine.client.version()["Version"].startswith("20."))


def failing(engine: Engine, name: str, source: Path, dockerfile: str, /, **options: t.Any) -> DeliveryError:
    (source / "Dockerfile").write_text(dockerfile)
    with pytest.raises(DeliveryError) as raised:
        engine.build(name, source, tags=["1"], **options)
    return raised.value


def test_patterns_are_what_the_engine_makes_of_them(engine: Engine, source: Path) -> None:
    texts = dict(patterns(400))
    assert any(found != "" for found in texts.values())
    lines = ["ARG FROM=xscratch", "FROM ${FROM#x}", "COPY app /", *(f"ARG {name}" for name in VALUES)]
    lines += [f"LABEL of{number}={text}" for number, text in enumerate(texts)]
    (source / "Dockerfile").write_text("\n".join(lines))
    if is_old(engine):
        said = "FROM ${FROM#x} has a substitution by a pattern, which BuildKit reads by itself in Docker 26.0 or newer, and"
        with pytest.raises(DeliveryError, match=re.escape(f"line 2: {said}")):
            engine.build("patterns", source, tags=["1"], args=VALUES)
        return
    engine.build("patterns", source, tags=["1"], args=VALUES)
    labels = engine.client.images.get(f"{engine.prefix}/patterns:1").labels
    assert {text: labels[f"of{number}"] for number, text in enumerate(texts)} == texts


@pytest.mark.parametrize("by", ["docker", "docker_classic"])
def test_a_substitution_that_an_older_engine_does_not_read_is_said(engine: Engine, source: Path, by: str) -> None:
    expected = {"${A:-x}": "1", "${N:-x}": "x", "${A?x}": "1", "${A:?x}": "1"}
    newer = {"${A-x}": ("1", "25.0"), "${N+x}": ("", "25.0"), "${A#1}": ("", "26.0"), "${A/1/2}": ("2", "26.0")}
    start = "FROM scratch\nARG A=1\nCOPY app /\n"
    if is_old(engine):
        for text, (_value, since) in newer.items():
            error = failing(engine, "substituted", source, f"{start}ENV A={text}\n", engine=by)
            assert f"line 4: ENV A={text} has a substitution" in str(error)
            assert f" in Docker {since} or newer, and the engine at " in str(error)
    else:
        expected.update((text, value) for text, (value, _since) in newer.items())
    lines = [f'LABEL of{number}="{text}"' for number, text in enumerate(expected)]
    (source / "Dockerfile").write_text(start + "\n".join(lines))
    engine.build("substituted", source, tags=["1"], engine=by)
    labels = engine.client.images.get(f"{engine.prefix}/substituted:1").labels
    assert {text: labels[f"of{number}"] for number, text in enumerate(expected)} == expected


def test_an_engine_that_does_not_read_a_here_document_is_told_how(engine: Engine, source: Path, shell: str) -> None:
    text = f"FROM {shell}\n\nRUN <<E\necho {engine.prefix}\nE\n"
    (source / "Dockerfile").write_text(text)
    if is_old(engine):
        error = failing(engine, "here", source, text, check=True)
        assert "line 3: RUN <<E has a here-document, which BuildKit reads by itself in Docker 23.0 or newer" in str(
            error
        )
        assert "'# syntax=docker/dockerfile:1' into the Dockerfile's first line" in str(error)
    else:
        assert engine.prefix in engine.build("here", source, tags=["1"])["log"]


def test_what_a_base_image_has_carried_out_is_an_input(
    engine: Engine, source: Path, shell: str, tmp_path: Path
) -> None:
    base = tmp_path / "base"
    base.mkdir()
    triggers = "ONBUILD ARG WHO\nONBUILD COPY package /package\nONBUILD RUN echo by $WHO; [ $WHO ]\n"
    (base / "Dockerfile").write_text(f"FROM {shell}\n{triggers}")
    engine.build("base", base, tags=["1"])
    child = f"FROM {engine.prefix}/base:1\nCOPY app /app\n"
    assert re.search(
        "Dockerfile, line 1: ONBUILD COPY package /package: there is no package in",
        str(failing(engine, "child", source, child, check=True)),
    )
    (source / "package").write_text("1")
    (source / ".dockerignore").write_text("*.log\npack*\n")
    error = failing(engine, "child", source, child)
    assert "package is kept out of the build by" in str(error)
    assert ".dockerignore, line 2: pack*. Add !package below that line" in str(error)
    (source / ".dockerignore").unlink()
    assert "args.WHOM has no effect" in str(failing(engine, "child", source, child, args={"WHOM": "me"}))
    error = failing(engine, "child", source, child)
    assert "line 1, ONBUILD RUN echo by $WHO; [ $WHO ]: it ended with exit code 1." in str(error)
    given: dict[str, t.Any] = {"tags": ["1"], "args": {"WHO": engine.prefix}}  # nobody's build has that in its cache
    assert f"by {engine.prefix}" in engine.build("child", source, **given)["log"]
    assert not engine.build("child", source, **given)["changed"]
    (base / "Dockerfile").write_text(f"FROM {shell}\n{triggers}ONBUILD RUN true\n")
    engine.build("base", base, tags=["1"])
    again = engine.build("child", source, **given)
    assert again["why"] == [f"the base images changed: {engine.prefix}/base:1 changed"]


def test_an_image_that_a_base_image_copies_from_is_an_input(
    engine: Engine, source: Path, shell: str, tmp_path: Path
) -> None:
    other, base = tmp_path / "other", tmp_path / "base"
    for directory, text in (
        (other, "FROM scratch\nCOPY Dockerfile /other\n"),
        (base, f"FROM {shell}\nONBUILD COPY --from={engine.prefix}/other:1 /other /other\n"),
    ):
        directory.mkdir()
        (directory / "Dockerfile").write_text(text)
        engine.build(directory.name, directory, tags=["1"])
    child = f"FROM {engine.prefix}/base:1\nCOPY app /app\n"
    error = failing(engine, "copies", source, child, check=True)
    assert "line 1: ONBUILD COPY --from=" in str(error)
    assert "takes from an image or a stage by ONBUILD, which BuildKit reads by itself in Docker 27.4 or newer" in str(
        error
    )
    classic: dict[str, t.Any] = {"tags": ["1"], "engine": "docker_classic"}
    engine.build("copies", source, **classic)
    assert "other" in engine.files("copies:1")
    assert not engine.build("copies", source, **classic)["changed"]
    (other / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /other\nCOPY Dockerfile /more\n")
    engine.build("other", other, tags=["1"])
    again = engine.build("copies", source, **classic)
    assert again["why"] == [f"the base images changed: {engine.prefix}/other:1 changed"]


def test_what_names_an_image_that_is_not_there_for_the_platform_is_said(
    engine: Engine, source: Path, shell: str
) -> None:
    """Of the platform that is asked for, BuildKit looks for it in the registry, which there is none by that name."""
    error = failing(engine, "platform", source, f"\nFROM --platform=linux/s390x {shell}\n")
    assert f"Dockerfile, line 2, FROM --platform=linux/s390x {shell}: " in str(error)
    assert error.facts["dockerfile_line"] == 2
    error = failing(engine, "syntax", source, f"# syntax={engine.prefix}/none:1\nFROM {shell}\n")
    assert f"{engine.prefix}/none:1 ({source / 'Dockerfile'}, line 1) could not be pulled" in str(error)


def test_a_label_that_is_too_long_for_a_command_is_named(engine: Engine, source: Path) -> None:
    (source / "Dockerfile").write_text("FROM scratch\nARG LONG\nCOPY app /\n")
    for option, name in (("labels", "long"), ("args", "LONG")):
        given: dict[str, t.Any] = {option: {name: "x" * 131_072}}
        error = failing(engine, "long", source, (source / "Dockerfile").read_text(), check=True, **given)
        assert str(error).startswith(f"{option}.{name} has 131077 bytes with its name, and the kernel")
    assert engine.build("long", source, tags=["1"], labels={"long": "x" * 131_066})["built"]
