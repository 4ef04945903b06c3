# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a run that hosts have noted is over, as its controller sees it."""

from __future__ import annotations

import json
import multiprocessing
import os
import platform
import subprocess
import typing as t

import pytest
from ansible.errors import AnsibleLookupError

from ansible_collections.longshore.delivery.plugins.lookup import this_run


def look(*noted: t.Any) -> dict[str, t.Any]:
    [answer] = this_run.LookupModule().run(list(noted), {})
    return answer


def ask(answers: multiprocessing.SimpleQueue[t.Any], *noted: t.Any) -> None:
    answers.put(look(*noted))


def look_in_a_task(*noted: t.Any) -> dict[str, t.Any]:
    """As tasks do it, each of which is a process of its own."""
    forking = multiprocessing.get_context("fork")
    answers = forking.SimpleQueue()
    task = forking.Process(target=ask, args=(answers, *noted))
    task.start()
    answer: dict[str, t.Any] = answers.get()
    task.join()
    return answer


def test_every_task_of_a_run_has_the_run() -> None:
    here = look()
    assert here == look_in_a_task() == look({})
    assert (here["controller"], here["process"], here["succeeds"]) == (platform.node(), os.getpid(), "")
    assert here["user"]


def test_a_run_that_goes_on_is_not_over() -> None:
    own = look()
    assert look(own)["succeeds"] == ""
    assert look_in_a_task({}, own)["succeeds"] == ""


def test_a_run_that_was_killed_is_over() -> None:
    own = look()
    with subprocess.Popen(["sleep", "60"]) as other:
        *place, _process, started = own["id"].split("/")
        noted = {**own, "id": "/".join([*place, str(other.pid), started]), "process": other.pid}
        assert look(noted)["succeeds"] == noted["id"], "the number is another program's by now"
        other.kill()
    assert look(noted)["succeeds"] == noted["id"]


def test_a_note_may_be_given_as_its_text() -> None:
    own = look()
    machine, _boot, rest = own["id"].split("/", 2)
    noted = {**own, "id": f"{machine}/another-boot/{rest}"}
    assert look(json.dumps(noted))["succeeds"] == noted["id"]
    assert look("")["succeeds"] == look('{"id": "cut o')["succeeds"] == ""


def test_one_from_before_a_boot_is_over() -> None:
    own = look()
    machine, _boot, rest = own["id"].split("/", 2)
    noted = {**own, "id": f"{machine}/another-boot/{rest}"}
    assert look(noted)["succeeds"] == noted["id"]


@pytest.mark.parametrize("other", [0, 2], ids=["machine of the same name", "container"])
def test_of_one_elsewhere_nothing_is_known(other: int) -> None:
    own = look()
    parts = own["id"].split("/")
    parts[4] = "1" + parts[4]
    over = {**own, "id": "/".join(parts)}
    assert look(over)["succeeds"] == over["id"]
    parts[other] = "1" + parts[other]
    parts[1] = parts[1] if other else "another-boot"
    assert look({**own, "id": "/".join(parts)})["succeeds"] == ""
    assert look({**over, "controller": "elsewhere"})["succeeds"] == ""


def test_a_process_that_is_hidden_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    own = look()
    seen = this_run._read
    monkeypatch.setattr(this_run, "_read", lambda path: "" if path.name == "stat" else seen(path))
    assert look(own)["succeeds"] == ""


@pytest.mark.parametrize("noted", [1, {"controller": platform.node()}, {"controller": platform.node(), "id": "a"}])
def test_what_is_no_run_is_refused(noted: t.Any) -> None:
    with pytest.raises(AnsibleLookupError, match="A run is what this lookup returned"):
        look(noted)
