# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two commands of the README, and all the others."""

from __future__ import annotations

import re
import subprocess

from tests.checks.ansible_test import CHECKOUT


def made(*arguments: str) -> str:
    return subprocess.run(["make", *arguments], cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout


def test_help_lists_every_target_and_is_the_default() -> None:
    declared = re.search(r"^\.PHONY: (.*)$", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert declared
    listed = re.findall(r"^  make (\S+)\s+\S", made("help"), re.MULTILINE)
    assert sorted(listed) == sorted(declared[1].split())
    assert {"demo", "test", "test-all", "lab", "lab-down", "benchmark"} <= set(listed)
    assert made() == made("help")
