# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run at a time: by processes that hold the lock, and by one that is killed while it does."""

from __future__ import annotations

import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.file_lock import held

HOLDER = """
import fcntl, sys

stream = open(sys.argv[1], "a")
fcntl.flock(stream, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "made" / "ledger.json"


@pytest.fixture
def holder(ledger: Path) -> t.Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock."""
    ledger.parent.mkdir()
    argv = [sys.executable, "-c", HOLDER, f"{ledger}.lock"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_directory_is_made_for_the_owner_alone(ledger: Path) -> None:
    with held(str(ledger), 1.0):
        assert ledger.parent.stat().st_mode & 0o777 == 0o700
        assert [path.name for path in ledger.parent.iterdir()] == ["ledger.json.lock"]


def test_a_second_run_waits_and_then_says_what_to_do(ledger: Path, holder: subprocess.Popen[str]) -> None:
    words = rf"{ledger}\.lock for 0 s\. See which process that is \(fuser\)"
    with pytest.raises(DeliveryError, match=words), held(str(ledger), 0.25):
        pytest.fail("two hold it")


def test_a_killed_run_lets_go(ledger: Path, holder: subprocess.Popen[str]) -> None:
    holder.kill()
    with held(str(ledger), 10.0):
        assert holder.wait()
