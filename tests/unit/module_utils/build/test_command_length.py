# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is too long for a command is told from what is not where the kernel does."""

from __future__ import annotations

import errno
import os
import subprocess

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.build.command_length import (
    TooLongForACommand,
    check_length,
)

MOST = 32 * os.sysconf("SC_PAGE_SIZE") - 1


def runs(*values: str) -> bool:
    """Whether the kernel hands these to a command."""
    try:
        subprocess.run(["true", *values], check=True)
    except OSError as error:
        return error.errno != errno.E2BIG
    return True


def test_one_value() -> None:
    check_length({"labels.a": "a=" + "\u00e9" * (MOST // 2 - 1)}, {})
    check_length({}, os.environ)
    assert runs("x" * MOST)
    assert not runs("x" * (MOST + 1))
    with pytest.raises(TooLongForACommand, match=f"labels.a has {MOST + 1} bytes .* no argument .* more than {MOST}"):
        check_length({"args.b": "b=1", "labels.a": "x" * (MOST + 1)}, {})


def test_all_of_them() -> None:
    most = os.sysconf("SC_ARG_MAX")
    given = {f"args.a{number}": "x" * MOST for number in range(most // MOST + 1)}
    assert not runs(*given.values())
    with pytest.raises(TooLongForACommand, match=r"has \d+ bytes in all, the longest of it args\.a\d+ \(131071\)"):
        check_length(given, os.environ)
    given = {f"args.a{number}": "x" * MOST for number in range(most // MOST // 2)}
    check_length(given, os.environ)
    assert runs(*given.values())
    with pytest.raises(TooLongForACommand, match="beside the environment"):
        check_length(given, {f"E{number}": "x" * MOST for number in range(most // MOST // 2)})
