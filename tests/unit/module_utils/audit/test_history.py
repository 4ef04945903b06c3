# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the builders write into an image's history, read as a Dockerfile's instructions."""

from __future__ import annotations

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.audit.history import instructions, parsed

from .made import config


@pytest.mark.parametrize(
    ("line", "keyword", "text"),
    [
        ("RUN /bin/sh -c apt-get update # buildkit", "RUN", "apt-get update"),
        ("/bin/sh -c apt-get update", "RUN", "apt-get update"),
        ("/bin/sh -c set -e &&     make", "RUN", "set -e &&     make"),
        ("RUN /bin/bash -o pipefail -c make # buildkit", "RUN", "make"),
        ("RUN /bin/bash -eux -c make # buildkit", "RUN", "make"),
        ("COPY . . # buildkit", "COPY", ". ."),
        ("/bin/sh -c #(nop) COPY dir:0123abcd in /app ", "COPY", "dir:0123abcd in /app"),
        ('/bin/sh -c #(nop)  CMD ["bash"]', "CMD", '["bash"]'),
        ("WORKDIR /app", "WORKDIR", "/app"),
        ("ENV A=b", "ENV", "A=b"),
        ("", "", ""),
        ("imported from -", "", "imported from -"),
    ],
)
def test_an_instruction(line: str, keyword: str, text: str) -> None:
    assert parsed(line) == (keyword, text, ())


@pytest.mark.parametrize("front", ["RUN ", ""])
def test_build_arguments_are_told_from_the_command(front: str) -> None:
    line = front + "|2 VERSION=1.4 GREETING=good day /bin/sh -c make A=b # buildkit"
    if not front:
        line = line.replace(" # buildkit", "")
    assert parsed(line) == ("RUN", "make A=b", (("VERSION", "1.4"), ("GREETING", "good day")))


@pytest.mark.parametrize("value", ["[Tr0ub4dor99", "/bin/q99xyz", "a /bin/q b", "good [day] 'x'"])
def test_a_build_arguments_value_is_not_in_the_command(value: str) -> None:
    _keyword, text, arguments = parsed("RUN |2 KEY=%s LAST=%s /bin/sh -c true # buildkit" % (value, value))
    assert text == "true"
    assert dict(arguments)["LAST"].endswith(value[-1])
    (step,) = instructions(config([("RUN |1 A=%s /bin/sh -c true" % value, True)]), 1)
    assert not step.doubtful


@pytest.mark.parametrize(
    "line",
    [
        "RUN |1 KEY=[Tr0ub4dor99 true # buildkit",
        "RUN |1 KEY=x /bin/sh -c Tr0ub4dor99 /bin/sh -c true # buildkit",
        "RUN |2 KEY=x /bin/sh -c Tr0ub4dor99 B=c npm ci # buildkit",
    ],
)
def test_where_the_arguments_end_may_be_in_doubt(line: str) -> None:
    (step,) = instructions(config([(line, True)]), 1)
    assert step.doubtful


def test_instructions_know_their_layers() -> None:
    history = [("COPY a / # buildkit", True), ("ENV A=b", False), ("RUN /bin/sh -c make # buildkit", True)]
    assert [(step.keyword, step.layer) for step in instructions(config(history), 2)] == [
        ("COPY", 0),
        ("ENV", None),
        ("RUN", 1),
    ]


@pytest.mark.parametrize("layers", [0, 1, 3])
def test_a_history_of_another_number_of_layers_is_none(layers: int) -> None:
    assert instructions(config([("COPY a /", True), ("COPY b /", True)]), layers) == ()


def test_an_image_may_have_no_history() -> None:
    assert instructions({}, 0) == ()
    assert instructions({"history": None}, 2) == ()
