# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role registry decides of the units that collect garbage, and refuses of their options."""

from __future__ import annotations

import dataclasses
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_garbage import (
    Collecting,
    faults,
    last_collection,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_obstacles import warnings
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_plan import Plan, plan
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_units import Unit

from .test_host import WANTED, seen

TIMER = Unit("garbage.timer", loaded=True, active="active", enabled=True)
SETTLING = Unit("settle.service", loaded=True, enabled=True)
COLLECTING = Collecting(True, TIMER, SETTLING)
NOT_COLLECTING = Collecting(False, Unit("garbage.timer"), Unit("settle.service"))


@pytest.mark.parametrize("collecting", [COLLECTING, NOT_COLLECTING])
def test_units_that_collect_garbage_as_wanted(collecting: Collecting) -> None:
    assert plan(seen(collecting=collecting), WANTED) == Plan()


@pytest.mark.parametrize(
    ("collecting", "said"),
    [
        (dataclasses.replace(COLLECTING, wanted=False), "garbage.timer is active"),
        (
            dataclasses.replace(COLLECTING, timer=dataclasses.replace(TIMER, active="inactive")),
            "garbage.timer is inactive",
        ),
        (
            dataclasses.replace(COLLECTING, timer=dataclasses.replace(TIMER, enabled=False)),
            "garbage.timer would not start with the host",
        ),
        (
            dataclasses.replace(COLLECTING, settling=dataclasses.replace(SETTLING, enabled=False)),
            "settle.service would not start with the host",
        ),
        (
            dataclasses.replace(COLLECTING, settling=dataclasses.replace(SETTLING, needs_daemon_reload=True)),
            "settle.service is known to systemd as it was before",
        ),
    ],
)
def test_units_that_collect_garbage_and_are_not_as_wanted(collecting: Collecting, said: str) -> None:
    assert plan(seen(collecting=collecting), WANTED) == Plan(differences=(said,), mend_collect=True)


def test_what_the_last_collection_said_is_warned_of() -> None:
    last = {"began": "2026-01-02T03:04:05Z", "fault": "", "missing": []}
    assert warnings(seen(collecting=dataclasses.replace(COLLECTING, last=last)), WANTED) == []
    faulty = {**last, "fault": "the registry does not answer", "missing": ["shop@sha256:1: the manifest"]}
    failed, lacking = warnings(seen(collecting=dataclasses.replace(COLLECTING, last=faulty)), WANTED)
    assert failed.endswith("(2026-01-02T03:04:05Z) collected nothing: the registry does not answer.")
    assert lacking.endswith("(2026-01-02T03:04:05Z): shop@sha256:1: the manifest.")
    assert warnings(seen(collecting=dataclasses.replace(NOT_COLLECTING, last=faulty)), WANTED) == []


def test_that_images_go_by_their_age_alone_is_warned_of() -> None:
    for days in (0, 30):
        found = dataclasses.replace(COLLECTING, untagged_days=days)
        (said,) = warnings(seen(collecting=found), WANTED)
        assert said.startswith(f"With registry_collect_untagged_days set to {days}, ")
        assert "pods run by digest" in said
        assert said.endswith("Give each delivery a tag of its own that stays, or leave it at -1.")
        assert warnings(seen(collecting=dataclasses.replace(found, wanted=False)), WANTED) == []


def test_a_collection_that_could_not_note_its_end_is_warned_of() -> None:
    service = Unit("garbage.service", loaded=True, active="failed", result="oom-kill", log="a last word")
    for last in (None, {"began": "2026-01-02T03:04:05Z", "fault": ""}):
        found = dataclasses.replace(COLLECTING, service=service, last=last)
        (said,) = warnings(seen(collecting=found), WANTED)
        assert "of garbage.service systemd says 'oom-kill', and the program: a last word. See 'journalctl" in said
    noted = dataclasses.replace(COLLECTING, service=service, last={"began": "2026", "fault": "a fault"})
    assert len(warnings(seen(collecting=noted), WANTED)) == 1
    assert warnings(seen(collecting=dataclasses.replace(found, wanted=False)), WANTED) == []
    whole = dataclasses.replace(COLLECTING, service=dataclasses.replace(service, result=""))
    assert warnings(seen(collecting=whole), WANTED) == []


def test_what_the_last_collection_noted_is_read(tmp_path: Path) -> None:
    noted = tmp_path / "result.json"
    assert last_collection(str(noted)) is None
    for text, read in (("", None), ("[]", None), ('{"size": 1}', {"size": 1})):
        noted.write_text(text)
        assert last_collection(str(noted)) == read


COLLECT = {"calendar": "weekly", "untagged_days": -1, "recent_hours": 24, "refuse_seconds": 120}


def analyze(argv: t.Sequence[str], **_options: t.Any) -> Completed:
    """What systemd says of calendar expressions."""
    assert argv[:-1] == ["systemd-analyze", "calendar", "--"]
    return Completed(int("then" in argv[-1]), "", "Failed to parse calendar\n  specification.\n")


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"untagged_days": 0, "recent_hours": 0, "refuse_seconds": 5},
        {"untagged_days": 36500, "recent_hours": 8760, "refuse_seconds": 3600},
        {"calendar": "", "refuse_seconds": 0},
    ],
)
def test_what_may_be_asked_of_a_collection(given: dict[str, t.Any]) -> None:
    assert faults({**COLLECT, **given}, analyze) == []


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (
            {"untagged_days": -2},
            "registry_collect_untagged_days is -2, and has to be -1, which keeps manifests without",
        ),
        ({"untagged_days": 36501}, "registry_collect_untagged_days is 36501, "),
        ({"recent_hours": -1}, "registry_collect_recent_hours is -1, and has to be a number of hours from 0 to 8760"),
        ({"recent_hours": 8761}, "registry_collect_recent_hours is 8761, "),
        ({"refuse_seconds": 4}, "registry_collect_refuse_seconds is 4, and has to be a number of seconds from 5,"),
        ({"refuse_seconds": 3601}, "registry_collect_refuse_seconds is 3601, "),
        (
            {"calendar": "now and then"},
            "registry_collect has 'now and then', which systemd does not take for a calendar expression: Failed to parse "
            "calendar specification. Set one",
        ),
    ],
)
def test_what_may_not_be_asked_of_a_collection(given: dict[str, t.Any], word: str) -> None:
    (found,) = faults({**COLLECT, **given}, analyze)
    assert found.startswith(word)
