# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Of two runs that change a registry one goes on, and the other says which that is."""

from __future__ import annotations

import dataclasses
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry import host_copies, host_runs
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_runs import (
    COUNTS_SECONDS,
    Run,
    changed_by,
    end,
    noted,
    see_alone,
)

FIRST: dict[str, t.Any] = {
    "id": "a/1/4711/9",
    "controller": "ops",
    "user": "ada",
    "process": 4711,
    "succeeds": "",
    "follows": None,
}
SECOND = {**FIRST, "id": "a/1/4712/10", "process": 4712}
REGISTRY = "the registry without a registry_instance"


def begin(given: dict[str, t.Any], kept: str, registry: str) -> None:
    see_alone(given, kept, registry, "")
    host_runs.begin(given, kept)


@pytest.fixture
def kept(tmp_path: Path) -> str:
    return str(tmp_path / "registry" / "before")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> t.Callable[[float], None]:
    """Sets the time of the host, in seconds since the epoch."""
    return lambda seconds: monkeypatch.setattr("time.time", lambda: seconds)


def test_a_run_is_noted_for_root_alone_until_its_copies_go(kept: str, clock: t.Callable[[float], None]) -> None:
    assert noted(kept) is None
    clock(1000.0)
    begin(FIRST, kept, REGISTRY)
    assert noted(kept) == Run("a/1/4711/9", "ops", "ada", 4711, 1000.0)
    assert (Path(kept).stat().st_mode & 0o777, (Path(kept) / "run.json").stat().st_mode & 0o777) == (0o700, 0o600)
    host_copies.drop(kept)
    assert noted(kept) is None


def test_another_one_is_refused_by_name_and_the_same_goes_on(kept: str, clock: t.Callable[[float], None]) -> None:
    clock(1795446185.0)
    begin(FIRST, kept, REGISTRY)
    begin(FIRST, kept, REGISTRY)
    before = noted(kept)
    with pytest.raises(DeliveryError) as refused:
        begin(SECOND, kept, REGISTRY)
    assert noted(kept) == before
    for words in (
        "Another run of the role changes the registry without a registry_instance on this host: process 4711 of ada on ops",
        "since 2026-11-23 15:03:05 UTC. This one has changed nothing.",
        f"counts until 2026-11-23 16:03:05 UTC, or until you remove {kept}/run.json.",
    ):
        assert words in str(refused.value)


def test_one_that_is_over_is_followed(kept: str) -> None:
    begin(FIRST, kept, REGISTRY)
    begin({**SECOND, "succeeds": FIRST["id"]}, kept, REGISTRY)
    with pytest.raises(DeliveryError):
        # which saw the first one, and not that another has begun since
        begin({**SECOND, "id": "a/1/4713/11", "succeeds": FIRST["id"]}, kept, REGISTRY)


def test_one_that_took_too_long_does_not_end_the_one_after_it(kept: str) -> None:
    begin(FIRST, kept, REGISTRY)
    begin({**SECOND, "succeeds": FIRST["id"]}, kept, REGISTRY)
    assert not end(FIRST, kept)
    assert noted(kept)
    assert end(SECOND, kept)
    assert noted(kept) is None
    assert end(SECOND, kept)


@pytest.mark.parametrize("moment", [COUNTS_SECONDS - 1, -5.0])
def test_a_note_counts_for_a_while_whatever_the_clock_does(
    kept: str, clock: t.Callable[[float], None], moment: float
) -> None:
    clock(10_000.0)
    begin(FIRST, kept, REGISTRY)
    clock(10_000.0 + moment)
    with pytest.raises(DeliveryError):
        begin(SECOND, kept, REGISTRY)


def test_a_note_of_long_ago_counts_no_more(kept: str, clock: t.Callable[[float], None]) -> None:
    clock(10_000.0)
    begin(FIRST, kept, REGISTRY)
    clock(10_000.0 + COUNTS_SECONDS)
    begin(SECOND, kept, REGISTRY)
    found = noted(kept)
    assert found
    assert dataclasses.astuple(found)[:4] == ("a/1/4712/10", "ops", "ada", 4712)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"id": "a"', '{"id": "a", "more": 1}'])
def test_a_note_that_is_not_understood_is_none(kept: str, text: str) -> None:
    begin(FIRST, kept, REGISTRY)
    (Path(kept) / "run.json").write_text(text)
    assert noted(kept) is None
    begin(SECOND, kept, REGISTRY)


@pytest.mark.parametrize(("follows", "since"), [("a", "b"), ("", "b"), ("a", "")])
def test_a_look_of_before_another_run_is_no_ground_for_a_change(kept: str, follows: str, since: str) -> None:
    with pytest.raises(DeliveryError, match=r"has changed the registry without a registry_instance on this host since"):
        see_alone({**FIRST, "follows": follows}, kept, REGISTRY, since)
    see_alone({**FIRST, "follows": follows}, kept, REGISTRY, follows)
    see_alone({**FIRST, "follows": follows}, kept, REGISTRY, FIRST["id"])
    see_alone(FIRST, kept, REGISTRY, since)


@pytest.mark.parametrize(
    ("text", "last"), [('{"changed_by": "a"}', "a"), ("{}", ""), ("[]", ""), ("{", ""), (None, "")], ids=str
)
def test_who_has_changed_a_registry_last_is_in_its_ledger(tmp_path: Path, text: str | None, last: str) -> None:
    if text is not None:
        (tmp_path / "registry.json").write_text(text)
    assert changed_by(str(tmp_path / "registry.json")) == last
