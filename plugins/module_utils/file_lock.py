# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Two runs that change the same files of a host go one after the other."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils import atomic
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError


@contextlib.contextmanager
def held(path: str, patience: float) -> t.Iterator[None]:
    """Keep other runs off what a file stands for; a process that dies lets go by itself.

    :param path: the file, beside which C(.lock) is kept.
    :param patience: how long to wait for another run, in seconds.
    :raises DeliveryError: another one goes on for longer.
    """
    atomic.make_directories(os.path.dirname(path), 0o700)
    with open(path + ".lock", "a", encoding="ascii") as stream:
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise DeliveryError(
                        "Another run has held %s.lock for %d s. See which process that is (fuser), and run again after it."
                        % (path, patience)
                    ) from None
                time.sleep(0.1)
        yield
