# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""No file of tests is passed over: pytest by itself enters no directory that is called build or dist, for example."""

from __future__ import annotations

import subprocess
import sys

from tests.checks.ansible_test import CHECKOUT, tracked


def test_every_file_of_tests_is_run() -> None:
    files = {str(path.relative_to(CHECKOUT)) for path in tracked("tests/**/test_*.py", "tests/test_*.py")}
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "tests"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    collected = {line.partition("::")[0] for line in done.stdout.splitlines() if "::" in line}
    assert len(files) > 100
    assert files == collected
