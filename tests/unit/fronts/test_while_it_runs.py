# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task in process while it runs: what it shows, and what Ctrl-C leaves of it."""

from __future__ import annotations

import re
import time
from pathlib import Path

from .playbook import SECRET, SECRET_VARIABLE, Playbook, lives

PROBE = "longshore.delivery.front_probe"


def test_progress_is_shown_at_once_and_masked(playbook: Playbook, tmp_path: Path) -> None:
    """The function waits for what is made here only when its line was seen."""
    running = playbook.start({PROBE: {"behaviour": "show", "place": str(tmp_path), "token": SECRET_VARIABLE}})
    assert running.until("step one") == "localhost | step one with ********\n"
    running.until("localhost | a line of the function")
    (tmp_path / "seen-function").touch()
    running.until("localhost | a line of a command")
    (tmp_path / "seen-command").touch()
    run = running.end()
    assert (run.rc, run.results[0].get("msg")) == (0, None)
    assert SECRET not in run.stdout + run.stderr


def test_ctrl_c_lets_a_task_clean_up_and_leaves_no_process(playbook: Playbook, tmp_path: Path) -> None:
    running = playbook.start({PROBE: {"behaviour": "hang", "place": str(tmp_path)}}, {PROBE: {}})
    command, child = (int(word) for word in running.until("hangs: ").split()[-2:])
    running.interrupt()
    run = running.end()
    assert run.rc == 99
    assert "User interrupted execution" in run.stderr
    worker = int((tmp_path / "cleaned-up").read_text())
    # the next task did not begin, and the interrupted one has no result
    assert run.stdout.count("TASK [task]") == 1
    assert not re.search("ok:|changed:|failed:|fatal:", run.stdout)
    for process in (worker, command, child):
        deadline = time.monotonic() + 30
        while lives(process):
            assert time.monotonic() < deadline, process
            time.sleep(0.05)
