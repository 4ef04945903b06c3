# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which words begin an instruction: what BuildKit would refuse is refused before a build, also in check mode."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.build.definition import read_definition
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("FROM scratch\nFOO x\n", r"line 2: there is no instruction FOO\. Correct it; one that"),
        (
            "FROM scratch AS unneeded\ncpoy a /\nFROM scratch\n",
            r"line 2: there is no instruction CPOY\. Correct it to COPY;",
        ),
        ("FROM scratch\nONBUILD RUM x\n", r"line 2: there is no instruction RUM\. Correct it to RUN;"),
        ("FROM scratch\nRUN a &&\n b\n", r"line 3: there is no instruction B\. .* needs a '\\' at that line's end"),
    ],
)
def test_what_is_no_instruction_is_said(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "Dockerfile").write_text(text)
    with pytest.raises(DeliveryError, match=words):
        read_definition(str(tmp_path), "Dockerfile").check_instructions({})
    read_definition(str(tmp_path), "Dockerfile").check_instructions({"BUILDKIT_SYNTAX": "r.example/another/language"})
    (tmp_path / "Dockerfile").write_text("# syntax=r.example/another/language\n" + text)
    read_definition(str(tmp_path), "Dockerfile").check_instructions({})


def test_every_instruction_there_is_passes(tmp_path: Path) -> None:
    every = "add arg cmd copy entrypoint env expose healthcheck label maintainer onbuild run shell stopsignal user volume workdir"
    lines = ["FROM scratch", *(f"{keyword} run x" for keyword in every.split())]
    (tmp_path / "Dockerfile").write_text("\n".join(lines))
    read_definition(str(tmp_path), "Dockerfile").check_instructions({})
