# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Following BuildKit's report, and saying what failed."""

from __future__ import annotations

import base64
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.build import dockerignore
from ansible_collections.longshore.delivery.plugins.module_utils.build.build_record import BuildRecord
from ansible_collections.longshore.delivery.plugins.module_utils.build.builder import Built
from ansible_collections.longshore.delivery.plugins.module_utils.build.context import BuildContext
from ansible_collections.longshore.delivery.plugins.module_utils.build.definition import Definition
from ansible_collections.longshore.delivery.plugins.module_utils.build.failure import failed_instruction, failure
from ansible_collections.longshore.delivery.plugins.module_utils.build.record import Step
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.dockerfile import parse
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.stages import stages_of

START, END = "2026-11-21T14:30:48.780154716Z", "2026-11-21T14:30:50.03Z"


def record(*events: dict[str, Any] | str, indent: int | None = None) -> tuple[BuildRecord, list[str]]:
    shown: list[str] = []
    result = BuildRecord(shown.append)
    for event in events:
        text = event if isinstance(event, str) else json.dumps(event, indent=indent)
        for line in text.split("\n"):
            result.line(line)
    return result, shown


def vertex(name: str, **rest: Any) -> dict[str, Any]:
    return {"vertexes": [{"digest": name, "name": name, **rest}]}


def log(name: str, text: str) -> dict[str, Any]:
    return {"logs": [{"vertex": name, "data": base64.b64encode(text.encode()).decode()}]}


@pytest.mark.parametrize("indent", [None, 2])
def test_steps_are_shown_as_they_run_and_end(indent: int | None) -> None:
    """buildx 0.13 indents its objects, later ones do not."""
    result, shown = record(
        vertex("[internal] load .dockerignore", started=START, completed=END),
        vertex("[1/3] FROM a", started=START, completed=START),
        vertex("[2/3] COPY . /", started=START, completed=START, cached=True),
        vertex("[3/3] RUN make"),
        vertex("[3/3] RUN make", started=START),
        log("[3/3] RUN make", "one\n\ntw"),
        log("[3/3] RUN make", "o\n 10%\r 20%\nend"),
        vertex("[3/3] RUN make", started=START, completed=END),
        vertex("[3/3] RUN make", started=START, completed=END),
        indent=indent,
    )
    assert shown == [
        "[1/3] FROM a: 0.0 s",
        "[2/3] COPY . /: cached",
        "[3/3] RUN make: running",
        "[3/3] RUN make: 1.2 s",
    ]
    assert [step.result for step in result.steps] == [
        {"step": "[1/3] FROM a", "cached": False, "seconds": 0.0},
        {"step": "[2/3] COPY . /", "cached": True, "seconds": 0.0},
        {"step": "[3/3] RUN make", "cached": False, "seconds": 1.25},
    ]
    assert list(result.steps[2].log) == ["one", "", "two", " 20%", "end"]
    assert result.failed is None


def test_the_steps_of_a_stage_are_in_its_order() -> None:
    """BuildKit tells of a build that failed from its end."""
    result, _shown = record(
        vertex("exporting to image", started=END, completed=END),
        vertex("[b 2/2] COPY --from=a / /", started=START, completed=END),
        vertex("[a 10/10] RUN false", started=START, completed=END, error="exit code: 1"),
        vertex("[b 1/2] FROM b", started=START, completed=START),
        vertex("[a  9/10] RUN true", started=START, completed=START),
    )
    names = [step.name for step in result.steps]
    assert [name for name in names if name.startswith("[a")] == ["[a  9/10] RUN true", "[a 10/10] RUN false"]
    assert [name for name in names if name.startswith("[b")] == ["[b 1/2] FROM b", "[b 2/2] COPY --from=a / /"]
    assert names[-1] == "exporting to image"


def test_what_is_no_progress_is_kept_as_it_is() -> None:
    result, _shown = record("WARNING: x", "", "{", "no json", "}", "ERROR: y")
    assert result.messages == ["WARNING: x", "{\nno json\n}", "ERROR: y"]


DOCKERFILE = """\
ARG BASE=a
FROM ${BASE} AS One
RUN true
FROM one
WORKDIR /x
COPY y z
RUN make \\
    all
FROM scratch AS last
COPY --from=1 /x /x
RUN true
RUN true
"""


def failed(name: str, error: str, *logs: str, messages: tuple[str, ...] = ()) -> Any:
    events = [vertex("[other 1/1] RUN x", started=START, error="context canceled"), vertex(name, started=START)]
    events += [log(name, text) for text in logs] + [vertex(name, completed=END, error=error)]
    result, _shown = record(*events, *messages)
    read = definition()
    return failure("x:1", read, stages_of(read.dockerfile, {}), Built("", result, "\n".join(result.messages)))


def definition(text: str = DOCKERFILE) -> Definition:
    entries = {"y": "file 0644 0", "gone.log": "file 0644 0"}
    context = BuildContext("/c", dockerignore.parse("# none\n*.log\n", "/c/.dockerignore"), entries)
    return Definition("/c/D", "", parse(text, "/c/D"), context)


@pytest.mark.parametrize(
    ("step", "line"),
    [
        ("[one 1/2] FROM docker.io/library/a", 2),
        ("[one 2/2] RUN true", 3),
        ("[stage-1 1/3] WORKDIR /x", 5),
        ("[stage-1 2/3] COPY y z", 6),
        ("[stage-1 1/2] COPY y z", 6),  # an engine that does not count WORKDIR
        ("[linux/arm64 stage-1 3/3] RUN make     all", 7),
        ("[last 3/3] RUN true", 12),
        ("[stage-1 9/9] RUN make all", 7),  # counted otherwise: the text decides where it is the only one
        ("[last 8/9] RUN true", None),
        ("[internal] load build context", None),
    ],
)
def test_the_failed_instruction_is_found(step: str, line: int | None) -> None:
    assert failed(step, "exit code: 1").facts.get("dockerfile_line") == line


@pytest.mark.parametrize(
    ("step", "line", "instruction"),
    [
        ("[2/2] COPY package /p", 1, "ONBUILD COPY package /p"),
        ("[3/2] RUN install", 1, "ONBUILD RUN install"),
        ("[4/2] COPY y $Z", 2, "COPY y z"),
        ("[9/9] RUN install", 1, "ONBUILD RUN install"),
    ],
)
def test_what_a_base_image_had_carried_out_is_found(step: str, line: int, instruction: str) -> None:
    """BuildKit 0.8 and 0.13 count it, and leave it out of the total."""
    read = definition("FROM a\nCOPY y z\n")
    stages = stages_of(read.dockerfile, {}, {"a": ["COPY package /p", "RUN install"]})
    result, _shown = record(vertex(step, started=START, completed=END, error="exit code: 1"))
    facts = failure("x:1", read, stages, Built("", result)).facts
    assert (facts["dockerfile_line"], facts["instruction"]) == (line, instruction)


@pytest.mark.parametrize(
    ("step", "where"),
    [
        ("[internal] load metadata for docker.io/library/a:latest", "line 2, FROM a:"),
        ("FROM r.example/b:1", "line 3, COPY --from=r.example/b:1 x y:"),
        ("[internal] load metadata for r.example/c:1", "line 5, FROM --platform=linux/s390x r.example/c:1:"),
        ("resolve image config for r.example/s:1", "line 1, # syntax=r.example/s:1:"),
        ("resolve image config for docker-image://r.example/s:1", "line 1, # syntax=r.example/s:1:"),
    ],
)
def test_what_names_an_image_that_is_not_there_is_found(step: str, where: str) -> None:
    """By the words of BuildKit 0.8 and 0.13."""
    read = definition(
        "# syntax=r.example/s:1\nFROM a\nCOPY --from=r.example/b:1 x y\n\nFROM --platform=linux/s390x r.example/c:1\n"
    )
    result, _shown = record(vertex(step, started=START, completed=END, error="no such host"))
    said = str(failure("x:1", read, stages_of(read.dockerfile, {}), Built("", result)))
    assert said == f"Building x:1 failed at /c/D, {where} no such host."


@pytest.mark.parametrize("stage", ["", "a "])
def test_the_failed_instruction_of_a_long_stage_is_found(stage: str) -> None:
    """BuildKit writes blanks before the numbers below ten of a stage that has more, so that they stand below each other."""
    text = "FROM a AS a\n" + "".join(f"RUN {number}\nRUN same\n" for number in range(6))
    read = definition(text)
    stages = stages_of(read.dockerfile, {})
    found = failed_instruction(Step(f"[{stage} 3/13] RUN same"), stages)
    assert found is not None
    assert found.line == 3


def test_the_message_has_instruction_cause_and_the_end_of_the_output() -> None:
    lines = "".join(f"line {number}\n" for number in range(30))
    error = failed(
        "[stage-1 3/3] RUN make     all", "executor failed running [/bin/sh -c x]: exit code: 7", lines, "end"
    )
    message = str(error).split("\n")
    assert message[0] == "Building x:1 failed at /c/D, line 7, RUN make all: it ended with exit code 7."
    assert message[2:] == [f"line {number}" for number in range(11, 30)] + ["end"]
    assert error.facts["log"] == message[2:]
    assert error.facts["failed_step"] == "[stage-1 3/3] RUN make     all"


def test_without_a_failed_step_buildx_is_quoted() -> None:
    for said, expected in (
        (
            "ERROR: failed to solve: rpc error: code = Unknown desc = failed to solve with frontend dockerfile.v0: "
            "failed to create LLB definition: dockerfile parse error line 6: unknown instruction: ECHO",
            "/c/D, line 6: unknown instruction: ECHO",
        ),
        (
            "ERROR: failed to receive status: EOF",
            "failed to receive status: EOF The engine went away. See on its host whether it runs, and why it ended; "
            "then run it again.",
        ),
    ):
        result, _shown = record("Dockerfile:6", said)
        error = failure("x:1", definition(), (), Built("", result, said))
        assert str(error) == f"Building x:1 failed: {expected}"


def test_a_copied_path_that_only_buildkit_knows_is_explained(tmp_path: Path) -> None:
    """Whatever variables and wildcards made of it: by the words of BuildKit 0.8 and 0.12."""
    (tmp_path / "gone.log").touch()
    read = definition("FROM scratch\nCOPY $X /")
    read = dataclasses.replace(
        read, context=dataclasses.replace(read.context, root=str(tmp_path), entries={"y": "file"})
    )
    for error, expected in (
        (
            'failed to compute cache key: "/gone.log" not found: not found',
            "gone.log is kept out of the build by /c/.dockerignore",
        ),
        ('failed to calculate checksum of ref 2a1::r7: "/gone.log": not found', "line 2: *.log. Add !gone.log"),
        (
            "lstat /var/lib/docker/tmp/buildkit-mount26/none: no such file or directory",
            f"there is no none in {tmp_path}.",
        ),
        (
            'failed to compute cache key: "/y" not found: not found',
            'COPY $X /: "/y" not found: not found.',
        ),
    ):
        result, _shown = record(vertex("[1/1] COPY $X /", started=START, completed=END, error=error))
        built = Built("", result, "\n".join(result.messages))
        assert expected in str(failure("x:1", read, stages_of(read.dockerfile, {}), built))


def test_a_full_disk_and_an_engine_that_ends_have_a_way_out() -> None:
    said = "process did not complete successfully: exit code: 1"
    full = failed("[one 2/2] RUN true", said, "tar: x: Cannot write: No space left on device\n")
    assert "it ended with exit code 1. The disk is full. Remove what is not needed" in str(full)
    dead = failed("[one 2/2] RUN true", "rpc error: code = Unavailable desc = error reading from server: EOF")
    assert "line 3, RUN true: error reading from server: EOF. The engine went away. See on its host" in str(dead)


def test_what_reads_the_dockerfile_is_named_where_it_fails() -> None:
    result, _shown = record("ERROR: failed to solve: exit code: 1")
    read = definition("# syntax=r.example/x:1\nFROM scratch")
    assert str(failure("x:1", read, (), Built("", result, "\n".join(result.messages)))) == (
        "Building x:1 failed: exit code: 1 (the Dockerfile is read by r.example/x:1, line 1)"
    )


def test_where_all_steps_were_cancelled_buildx_is_quoted() -> None:
    result, _shown = record(
        vertex("[internal] load .dockerignore", started=START, error="context canceled"),
        "ERROR: failed to solve: open D: no",
    )
    assert "failed: open D: no" in str(failure("x:1", definition(), (), Built("", result, "\n".join(result.messages))))
