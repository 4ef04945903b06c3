# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of a Dockerfile an engine is too old for is said before a build, whichever of its builders is to build."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile import words
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.dockerfile import (
    parse,
    triggered,
    with_substitution,
)

from .test_options_to_commands import TEXT, source, started

__all__ = ["source"]


@pytest.mark.parametrize(
    ("text", "version", "said"),
    [
        (
            "ENV X=${A-x}",
            "24.0.9",
            "line 5: ENV X=${A-x} has a substitution without a colon, which %s in Docker 25.0 or",
        ),
        ("ENV X=${A#x}", "25.0.1", "line 5: ENV X=${A#x} has a substitution by a pattern, which %s in Docker 26.0 or"),
        ("ENV X=${A#}", "26.1.5", "line 5: the pattern of a substitution in ENV X=${A#} is empty"),
    ],
)
def test_what_an_older_engine_does_not_read_is_said_of_both_its_builders(
    source: Path, text: str, version: str, said: str
) -> None:
    (source / "Dockerfile").write_text(f"{TEXT}{text}\n")
    for engine_option, reads, way_out in (
        ("docker", "BuildKit reads by itself", "Write '# syntax=docker/dockerfile:1' into"),
        ("docker_classic", "the classic builder reads", "Write it without, or set 'docker_host' to a newer engine."),
    ):
        with started(source, version=version) as engine:
            for check in (True, False):
                with pytest.raises(DeliveryError) as raised:
                    engine.run(check=check, engine=engine_option)
                assert said.replace("%s", reads) in str(raised.value)
                assert way_out in str(raised.value) or "%s" not in said
            assert not engine.commands
            assert not engine.classic
        if "%s" in said:
            with started(source, version="26.1.5") as engine:
                assert engine.run(engine=engine_option)["built"]


def test_what_a_base_image_has_carried_out_is_looked_at_too() -> None:
    found = with_substitution(parse("FROM a"), words.WITHOUT_COLON, triggered("ENV A=${B+x}", 1))
    assert str(found) == "ONBUILD ENV A=${B+x}"
