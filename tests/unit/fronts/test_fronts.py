# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two fronts over one function: the same result, the same standard error, the same silence about secrets."""

from __future__ import annotations

import sys
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from .conftest import AS_A_MODULE, LOCAL, Playbook, Run

SECRET = "hunter2-very-secret"
PROBE = "longshore.delivery.front_probe"
# what the front adds or a process of its own cannot share
OF_THE_PROCESS = {"pid_is_ansible", "invocation"}


def probe(**options: t.Any) -> dict[str, t.Any]:
    return {PROBE: options}


def comparable(run: Run) -> dict[str, t.Any]:
    [result] = run.results
    return {key: value for key, value in result.items() if key not in OF_THE_PROCESS}


CASES: dict[str, dict[str, t.Any]] = {
    "defaults": {},
    "coercion": {"number": "7", "flag": "yes", "words": "one,two", "table": {"inner": "1.5", "secret": SECRET}},
    "from JSON text": {"table": '{"inner": 2}', "words": ["a", 1]},
    "raw values": {"when": {"date": "2026-01-02", "list": [1, None, True]}},
    "alias": {"count": 3},
    "alias and option": {"count": 3, "number": 4},
    "deprecated option": {"old": "x"},
    "warnings": {"behaviour": "warn", "token": SECRET},
    "domain error": {"behaviour": "refuse", "token": SECRET},
    "commands": {"behaviour": "command"},
    "a noisy function": {"behaviour": "stdout", "token": SECRET},
    "keys with secrets": {"token": SECRET},
    "a secret that is a word of the result": {"token": "True"},
    "wrong type": {"number": "many"},
    "wrong choice": {"behaviour": "dance"},
    "unknown option": {"colour": "red"},
    "unknown nested option": {"table": {"inner": 1, "outer": 2}},
    "missing nested option": {"table": {}},
    "exclusive options": {"left": "1", "right": "2"},
}


@pytest.fixture(scope="module", params=CASES)
def both(
    request: pytest.FixtureRequest, collections: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Run, Run]:
    """A case by both fronts."""
    playbook = Playbook(collections, tmp_path_factory.mktemp("case"))
    return playbook.by_both(probe(**CASES[request.param]), flags=["--diff"])


def test_same_result_and_same_standard_error(both: tuple[Run, Run]) -> None:
    here, module = both
    assert comparable(here) == comparable(module)
    assert here.said() == module.said()
    if "msg" not in here.results[0]:
        assert (here.results[0]["pid_is_ansible"], module.results[0]["pid_is_ansible"]) == (True, False)


@pytest.mark.parametrize("flags", [[], ["--check"], ["--diff"], ["--check", "--diff"]], ids=" ".join)
def test_check_mode_and_diff_mode(playbook: Playbook, flags: list[str]) -> None:
    here, module = playbook.by_both(probe(number=2, token=SECRET), flags=flags)
    assert comparable(here) == comparable(module)
    result = here.results[0]
    assert result["check"] is ("--check" in flags)
    assert ("diff" in result) is ("--diff" in flags)
    assert result["changed"] is True
    assert SECRET not in here.stdout + module.stdout


@pytest.mark.parametrize("behaviour", ["crash", "exit"])
def test_a_fault_is_one_error_that_asks_for_a_report(playbook: Playbook, behaviour: str) -> None:
    here, module = playbook.by_both(probe(behaviour=behaviour, token=SECRET))
    for run in (here, module):
        [result] = run.results
        assert result["failed"] is True
        assert "fault in longshore.delivery" in result["msg"]
        assert "front_probe.py" in result["msg"]
        assert SECRET not in run.stdout + run.stderr
    assert here.results[0]["msg"].split(":")[0] == module.results[0]["msg"].split(":")[0]


def test_no_secret_leaves_either_front(both: tuple[Run, Run]) -> None:
    for run in both:
        # core itself prints the playbook's lines around a failing task
        assert SECRET not in (run.stdout + run.stderr).replace(f"token: {SECRET}", "").replace(f"secret: {SECRET}", "")
        assert SECRET not in str(run.results)


@pytest.mark.parametrize("task", [{}, AS_A_MODULE], ids=["in process", "module"])
def test_no_log_is_silent(playbook: Playbook, task: dict[str, t.Any]) -> None:
    run = playbook.run({**probe(behaviour="warn", token=SECRET), "no_log": True, **task}, flags=["--diff"])
    assert SECRET not in run.stdout + run.stderr
    assert "step one" not in run.stdout


def test_progress_is_live_and_masked_in_process(playbook: Playbook) -> None:
    run = playbook.run(probe(token=SECRET))
    assert "localhost | step one with ********" in run.stdout


def test_progress_does_not_spoil_other_callbacks(playbook: Playbook) -> None:
    assert "step one" not in playbook.run(probe(), callback="ansible.builtin.minimal").stdout


def dispatch(run: Run) -> list[str]:
    marker = f"{PROBE}: "
    return [line.split(marker, 1)[1].strip() for line in run.stdout.splitlines() if marker in line and "> " in line]


@pytest.mark.parametrize(
    ("task", "inventory", "ran"),
    [
        ({}, "localhost ansible_connection=local\n", "in process"),
        ({}, "other ansible_connection=local ansible_python_interpreter={{ansible_playbook_python}}\n", "in process"),
        ({"connection": "local"}, "far ansible_host=192.0.2.1\n", "in process"),
        ({"delegate_to": "localhost"}, "far ansible_host=192.0.2.1\n", "in process"),
        ({"vars": {"ansible_python_interpreter": sys.executable}}, LOCAL, "in process"),
        ({"environment": {"A": "b"}}, LOCAL, "as a module: environment"),
        ({"environment": {}}, LOCAL, "in process"),
        ({"async": 60, "poll": 1}, LOCAL, "as a module: async"),
        (
            {},
            "localhost ansible_connection=local ansible_python_interpreter=/usr/bin/python3\n",
            "as a module: interpreter /usr/bin/python3",
        ),
        ({"become": True}, LOCAL, "as a module: become"),
    ],
)
def test_which_front_runs(playbook: Playbook, task: dict[str, t.Any], inventory: str, ran: str) -> None:
    run = playbook.run({**probe(), **task}, inventory=inventory, flags=["-vvv"])
    assert dispatch(run)[0] == ran, run.stdout[-3000:]


def test_a_missing_library_sends_the_task_to_the_module(playbook: Playbook) -> None:
    source = playbook.collections / "ansible_collections/longshore/delivery/plugins/module_utils/front_probe.py"
    before = source.read_text()
    try:
        source.write_text(before.replace("    constraints=", '    needs=("longshore_absent",),\n    constraints='))
        run = playbook.run(probe(), flags=["-vvv"])
    finally:
        source.write_text(before)
    [ran] = dispatch(run)
    said, _in, python = ran.rpartition(" in ")
    assert said == "as a module: no package longshore_absent"
    # ansible-playbook is started by the name that pip wrote into it, python or python3
    assert Path(python).parent == Path(sys.executable).parent


def test_environment_and_directory_are_the_tasks_own(playbook: Playbook) -> None:
    run = playbook.run(
        probe(behaviour="stdout"),
        {"ansible.builtin.debug": {"msg": "{{ lookup('ansible.builtin.env', 'LONGSHORE_PROBE', default='clean') }}"}},
    )
    assert run.results[1]["msg"] == "clean"
    assert "noise" not in run.stdout


def test_module_defaults_reach_both_fronts(playbook: Playbook) -> None:
    play = {"module_defaults": {PROBE: {"number": 5}}}
    here, module = playbook.by_both(probe(), play=play)
    assert here.results[0]["echo"]["number"] == module.results[0]["echo"]["number"] == 5


def test_the_private_name_the_front_reads_is_there() -> None:
    """ansible-core gives a validation's secrets only as a private attribute; a new release may rename it."""
    checked = ArgumentSpecValidator({"token": {"type": "str", "no_log": True}}).validate({"token": SECRET})
    assert checked._no_log_values == {SECRET}
