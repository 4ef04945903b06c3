# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One command at a time changes the lab, and what a killed one had run counts as that command still."""

from __future__ import annotations

import fcntl
import os
import queue
import signal
import subprocess
import sys
import threading
import typing as t
from pathlib import Path

from tests.lab.command import run
from tests.lab.places import Places
from tests.lab.progress import Progress
from tests.lab.up import only_one

CHECKOUT = Path(__file__).resolve().parents[3]
CODE = """
import sys
from pathlib import Path
from tests.lab.command import run
from tests.lab.places import Places
from tests.lab.progress import Progress
from tests.lab.up import only_one

root = sys.argv[1]
with only_one(Places(Path(root)), Progress()):
    run(["sh", "-c", f"echo >{root}/started; read line <{root}/release; echo >{root}/ended"])
"""


class Said(queue.SimpleQueue[str]):
    """An output whose lines can be waited for."""

    write = queue.SimpleQueue.put

    def flush(self) -> None:
        pass


def test_a_command_waits_for_what_a_killed_one_had_run(tmp_path: Path) -> None:
    for name in ("started", "release"):
        os.mkfifo(tmp_path / name)
    first = subprocess.Popen([sys.executable, "-c", CODE, tmp_path], cwd=CHECKOUT)
    (tmp_path / "started").read_text()
    first.kill()
    first.wait()
    said = Said()
    ended: list[bool] = []

    def second() -> None:
        with only_one(Places(tmp_path), Progress(t.cast("t.TextIO", said))):
            ended.append((tmp_path / "ended").exists())

    thread = threading.Thread(target=second)
    thread.start()
    try:
        assert "another command is at work on the lab" in said.get(timeout=30)
        assert ended == []
    finally:
        (tmp_path / "release").write_text("\n")
        thread.join(30)
    assert ended == [True]


def test_a_service_that_a_command_started_does_not_keep_the_lock(tmp_path: Path) -> None:
    places = Places(tmp_path)
    with only_one(places, Progress()):
        done = run(["sh", "-c", "sleep 600 >/dev/null 2>&1 & echo $!"], starts_services=True)
    try:
        with places.lock.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.kill(int(done.stdout), signal.SIGKILL)
