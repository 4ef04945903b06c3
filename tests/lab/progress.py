# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Progress of the lab: one line at a time, each with the time since the command began."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TextIO


@dataclass
class Progress:
    """Writes whole lines, also when several threads report at once."""

    stream: TextIO = field(default_factory=lambda: sys.stdout)
    started: float = field(default_factory=time.monotonic)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, line: str) -> None:
        with self.lock:
            self.stream.write(f"[{self.elapsed:6.1f} s] {line}\n")
            self.stream.flush()

    @property
    def elapsed(self) -> float:
        """Seconds since the command began."""
        return time.monotonic() - self.started
