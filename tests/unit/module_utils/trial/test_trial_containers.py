# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose a container is: of a process that runs, of one that has ended, or of another machine; and how engines' words are read."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.trial.container import engine_seconds, leaves
from ansible_collections.longshore.delivery.plugins.module_utils.trial.owner import (
    OWNER_LABEL,
    SECONDS_LABEL,
    Owner,
    is_leftover,
)


def labels(owner: object, seconds: str = "60") -> dict[str, str]:
    return {OWNER_LABEL: str(owner), SECONDS_LABEL: seconds}


def test_an_owner_survives_being_a_label() -> None:
    assert Owner.parse(str(Owner.here())) == Owner.here()


@pytest.mark.parametrize("text", ["", "a", "a/b/c", "a/1", "//"])
def test_what_is_no_owner_is_none(text: str) -> None:
    assert Owner.parse(text) is None


def test_a_container_of_this_process_is_no_leftover_however_old() -> None:
    assert not is_leftover(labels(Owner.here()), 1e6)


def test_one_of_a_process_that_has_ended_is_one_at_once() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, text=True) as process:
        owner = Owner.of(process.pid)
        assert not is_leftover(labels(owner), 1e6)
        process.communicate("\n")
    assert is_leftover(labels(owner), 0)


def test_one_of_a_process_whose_number_another_has_now_is_one() -> None:
    assert is_leftover(labels(dataclasses.replace(Owner.here(), begun="1")), 0)


@pytest.mark.parametrize("owner", ["elsewhere:1/1/1", "nobody"])
def test_one_of_another_machine_is_one_when_its_time_is_over(owner: str) -> None:
    assert not is_leftover(labels(owner), 59)
    assert is_leftover(labels(owner), 61)
    assert not is_leftover(labels(owner, "soon"), 1e6)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-22T01:00:00.123456789Z", 1795309200),
        ("2026-11-22T02:30:00.1+01:30", 1795309200),
        ("2026-11-21T20:00:00-05:00", 1795309200),
    ],
)
def test_an_engines_clock_is_read_with_its_offset(text: str, seconds: int) -> None:
    assert engine_seconds(text) == seconds


def test_of_paths_only_those_with_nothing_below_count() -> None:
    assert leaves(["/a", "/a-b", "/a/c", "/a/c/d", "/e"]) == ("/a-b", "/a/c/d", "/e")
