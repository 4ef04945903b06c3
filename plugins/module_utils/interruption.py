# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Signals that ask a process to stop, so that what it does is undone first."""

from __future__ import annotations

import contextlib
import os
import signal
import typing as t


class Interrupted(BaseException):
    """A signal that asks the process to stop, raised so that C(finally) blocks run."""


@contextlib.contextmanager
def unwound() -> t.Iterator[None]:
    """Let SIGINT and SIGTERM unwind the body, and deliver the signal again once it has cleaned up.

    ansible-core sends what it gets to a task's process, and SIGTERM ends a Python at once (seen on 2.19).
    """
    received: t.List[int] = []

    def stop(number: int, frame: t.Any) -> None:
        if not received:
            received.append(number)
            raise Interrupted

    handlers = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if received:
            os.kill(os.getpid(), received[0])
