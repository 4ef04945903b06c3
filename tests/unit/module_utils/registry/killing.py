# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is killed at one of its changes to the file system."""

from __future__ import annotations

import os
import signal
import typing as t


def killed_at(action: t.Callable[[], object], number: int, changes: t.Collection[str]) -> bool:
    """Whether a process of its own was killed before its change of that number.

    :param changes: the functions of C(os) that are counted.
    """
    process = os.fork()
    if process:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL
    left = number

    def counted(change: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
        def changing(*arguments: t.Any, **options: t.Any) -> t.Any:
            nonlocal left
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return change(*arguments, **options)

        return changing

    try:
        for name in changes:
            setattr(os, name, counted(getattr(os, name)))
        action()
    finally:
        os._exit(0)
