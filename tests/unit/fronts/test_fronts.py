# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two fronts over one function: the same result, the same standard error, the same silence about secrets."""

from __future__ import annotations

import sys
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from .playbook import AS_A_MODULE, IN_PROCESS, SECRET, SECRET_VARIABLE, Playbook, Run

PROBE = "longshore.delivery.front_probe"
# what the front adds or a process of its own cannot share
OF_THE_PROCESS = {"pid_is_ansible", "invocation"}


def probe(**options: t.Any) -> dict[str, t.Any]:
    return {PROBE: options}


def comparable(result: dict[str, t.Any]) -> dict[str, t.Any]:
    return {key: value for key, value in result.items() if key not in OF_THE_PROCESS}


# as a key has them, or a text of YAML's `|`
SECRET_LINES = f"{SECRET_VARIABLE}-1\n{SECRET_VARIABLE}-2\nend\n"

CASES: dict[str, dict[str, t.Any]] = {
    "defaults": {},
    "coercion": {
        "number": "7",
        "flag": "yes",
        "words": "one,two",
        "table": {"inner": "1.5", "secret": SECRET_VARIABLE},
    },
    "from JSON text": {"table": '{"inner": 2}', "words": ["a", 1]},
    "raw values": {"when": {"date": "2026-01-02", "list": [1, None, True]}},
    "alias": {"count": 3},
    "alias and option": {"count": 3, "number": 4},
    "deprecated option": {"old": "x"},
    "warnings": {"behaviour": "warn", "token": SECRET_VARIABLE},
    "what the function found to be secret": {"behaviour": "conceal", "left": "somewhere"},
    "a secret of several lines": {"behaviour": "tell", "token": SECRET_LINES},
    "what is no UTF-8": {"behaviour": "bytes"},
    "domain error": {"behaviour": "refuse", "token": SECRET_VARIABLE},
    "commands": {"behaviour": "command"},
    "a noisy function": {"behaviour": "stdout", "token": SECRET_VARIABLE},
    "keys with secrets": {"token": SECRET_VARIABLE},
    "a secret that is a word of the result": {"token": "True"},
    "wrong type": {"number": "many"},
    "wrong choice": {"behaviour": "dance"},
    "unknown option": {"colour": "red"},
    "unknown nested option": {"table": {"inner": 1, "outer": 2}},
    "missing nested option": {"table": {}},
    "exclusive options": {"left": "1", "right": "2"},
}


@pytest.fixture(scope="module")
def both(collections: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    """All cases by both fronts."""
    playbook = Playbook(collections, tmp_path_factory.mktemp("cases"))
    return playbook.by_both(*(probe(**options) for options in CASES.values()), flags=["--diff"])


@pytest.mark.parametrize("case", CASES)
def test_same_result(both: tuple[Run, Run], case: str) -> None:
    here, module = (dict(zip(CASES, run.results, strict=True))[case] for run in both)
    assert comparable(here) == comparable(module)
    if "msg" not in here:
        assert (here["pid_is_ansible"], module["pid_is_ansible"]) == (True, False)


def test_what_is_no_utf8_is_written_out(both: tuple[Run, Run]) -> None:
    """Ansible fails a task that returns it, whatever it has done."""
    for run in both:
        result = dict(zip(CASES, run.results, strict=True))["what is no UTF-8"]
        assert (result["msg"], result["keys"]) == ("refused for \\udcff", {"of \\udcff": "with \\udcff"})


def test_same_standard_error(both: tuple[Run, Run]) -> None:
    here, module = (run.said() for run in both)
    assert here == module
    for said in (
        "Both option number and its alias count are set",
        "a warning with ********",
        "a warning of \\udcff",
        "removed from collection 'longshore.delivery' version 9.0.0",
        "refused with ********",
    ):
        assert said in here


def test_no_secret_leaves_either_front(both: tuple[Run, Run]) -> None:
    for run in both:
        said = run.stdout + run.stderr + str(run.results)
        assert SECRET not in said
        assert "found-" not in said


MODES = {
    "plain": {},
    "check": {"check_mode": True},
    "diff": {"diff": True},
    "check and diff": {"check_mode": True, "diff": True},
}


def test_check_mode_and_diff_mode(playbook: Playbook) -> None:
    tasks = [{**probe(number=2, token=SECRET_VARIABLE), **keywords} for keywords in MODES.values()]
    here, module = playbook.by_both(*tasks)
    assert [comparable(result) for result in here.results] == [comparable(result) for result in module.results]
    for mode, result in zip(MODES, here.results, strict=True):
        assert (result["check"], "diff" in result) == ("check" in mode, "diff" in mode)
        assert result["changed"] is True
    assert SECRET not in here.stdout + module.stdout


def test_the_command_lines_check_and_diff_mode(playbook: Playbook) -> None:
    here, module = playbook.by_both(probe(number=2), flags=["--check", "--diff"])
    assert [comparable(result) for result in here.results] == [comparable(result) for result in module.results]
    [result] = here.results
    assert result["check"] is True
    assert result["diff"]


def test_a_fault_is_one_error_that_asks_for_a_report(playbook: Playbook) -> None:
    both = playbook.by_both(*(probe(behaviour=behaviour, token=SECRET_VARIABLE) for behaviour in ("crash", "exit")))
    for run in both:
        for result in run.results:
            assert result["failed"] is True
            assert "fault in longshore.delivery" in result["msg"]
            assert "front_probe.py" in result["msg"]
        assert SECRET not in run.stdout + run.stderr
    here, module = ([result["msg"].split(":")[0] for result in run.results] for run in both)
    assert here == module == ["ValueError", "SystemExit"]


def test_no_log_is_silent(playbook: Playbook) -> None:
    task = {**probe(behaviour="warn", token=SECRET_VARIABLE), "no_log": True}
    run = playbook.run(task, {**task, **AS_A_MODULE}, flags=["--diff", "-vvv"])
    assert [way for _capability, way in run.fronts()] == [IN_PROCESS, "as a module: environment"]
    assert SECRET not in run.stdout + run.stderr
    assert "step one" not in run.stdout


def test_progress_does_not_spoil_other_callbacks(playbook: Playbook) -> None:
    assert "step one" not in playbook.run(probe(), callback="ansible.builtin.minimal").stdout


SAME_PYTHON = "ansible_python_interpreter={{ansible_playbook_python}}"
# 192.0.2.1 is nobody's address, and nobody listens on port 1
INVENTORY = f"""
localhost ansible_connection=local
own ansible_connection=local {SAME_PYTHON}
nothing ansible_connection=local ansible_python_interpreter=
other ansible_connection=local ansible_python_interpreter=/usr/bin/python3
far ansible_host=192.0.2.1
closed ansible_host=127.0.0.1 ansible_port=1
"""
DISPATCH: dict[str, tuple[dict[str, t.Any], str]] = {
    "localhost": ({}, IN_PROCESS),
    "another host with a local connection": ({"hosts": "own"}, IN_PROCESS),
    "local by the task": ({"hosts": "far", "connection": "local"}, IN_PROCESS),
    "delegated to localhost": ({"hosts": "far", "delegate_to": "localhost"}, IN_PROCESS),
    "the same interpreter": ({"vars": {"ansible_python_interpreter": sys.executable}}, IN_PROCESS),
    "another interpreter": ({"hosts": "other"}, "as a module: interpreter /usr/bin/python3"),
    "environment": ({"environment": {"A": "b"}}, "as a module: environment"),
    "an empty environment": ({"environment": {}}, IN_PROCESS),
    "async": ({"async": 60, "poll": 1, "hosts": "own"}, "as a module: async"),
    "become": ({"become": True}, "as a module: become"),
    "ssh": ({"hosts": "closed"}, "as a module: connection ansible.builtin.ssh"),
    "delegated from here": ({"hosts": "own", "delegate_to": "closed"}, "as a module: connection ansible.builtin.ssh"),
    "delegated to another": ({"delegate_to": "other"}, "as a module: interpreter /usr/bin/python3"),
}


@pytest.fixture(scope="module")
def dispatched(collections: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Every case of dispatch; what fails to be reached is passed over."""
    playbook = Playbook(collections, tmp_path_factory.mktemp("dispatch"))
    tasks = [{**probe(), "ignore_unreachable": True, **task} for task, _way in DISPATCH.values()]
    return playbook.run(*tasks, inventory=INVENTORY, flags=["-vvv"])


@pytest.mark.parametrize("case", DISPATCH)
def test_which_front_runs(dispatched: Run, case: str) -> None:
    number = list(DISPATCH).index(case)
    _task, way = DISPATCH[case]
    fronts = dispatched.fronts()
    assert len(fronts) == len(DISPATCH), dispatched.stdout[-6000:]
    assert fronts[number] == ("front_probe", way)
    result = dispatched.results[number]
    if "ssh" in way:
        assert result["unreachable"] is True
        assert "port 1" in result["msg"]
    elif way == IN_PROCESS:
        assert result["pid_is_ansible"] is True


def test_a_missing_library_sends_the_task_to_the_module(playbook: Playbook) -> None:
    source = playbook.collections / "ansible_collections/longshore/delivery/plugins/module_utils/front_probe.py"
    before = source.read_text()
    try:
        source.write_text(before.replace("    constraints=", '    needs=("longshore_absent",),\n    constraints='))
        run = playbook.run(probe(), flags=["-vvv"])
    finally:
        source.write_text(before)
    [(_capability, way)] = run.fronts()
    said, _in, python = way.rpartition(" in ")
    assert said == "as a module: no package longshore_absent"
    # ansible-playbook is started by the name that pip wrote into it, python or python3
    assert Path(python).parent.resolve() == Path(sys.executable).parent.resolve()


def test_environment_and_directory_are_the_tasks_own(playbook: Playbook) -> None:
    run = playbook.run(
        probe(behaviour="stdout"),
        {"ansible.builtin.debug": {"msg": "{{ lookup('ansible.builtin.env', 'LONGSHORE_PROBE', default='clean') }}"}},
    )
    assert run.results[1]["msg"] == "clean"
    assert "noise" not in run.stdout


def test_the_private_name_the_front_reads_is_there() -> None:
    """ansible-core gives a validation's secrets only as a private attribute; a new release may rename it."""
    checked = ArgumentSpecValidator({"token": {"type": "str", "no_log": True}}).validate({"token": SECRET})
    assert checked._no_log_values == {SECRET}
