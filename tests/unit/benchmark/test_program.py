# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What make benchmark starts finds all that it imports, without pytest."""

from __future__ import annotations

import subprocess
import sys

from tests.benchmark import CHECKOUT


def test_the_program_is_imported_by_itself() -> None:
    argv = [sys.executable, "-c", "import tests.benchmark.__main__"]
    done = subprocess.run(argv, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
