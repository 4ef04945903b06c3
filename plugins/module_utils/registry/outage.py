# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""How long a registry on this host does not answer, while something is done to it."""

from __future__ import annotations

import http.client
import threading
import time

_PAUSE, _PATIENCE = 0.02, 2.0


class Outage:
    """A context: a client that asks 127.0.0.1 all the while, each time by another connection.

    :ivar seconds: from the last answer before a request that failed to the next answer, all such times together.
    """

    def __init__(self, port: int) -> None:
        self.seconds = 0.0
        self._port = port
        self._answered = 0.0
        self._since = float("inf")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go_on, daemon=True)
        self._serves = threading.Event()

    def __enter__(self) -> Outage:
        self._answered = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def ended(self, seconds: float) -> bool:
        """Wait for an answer to a request that begins from now on; whether one came in time."""
        self._since = time.monotonic()
        self._serves.clear()
        return self._serves.wait(seconds)

    def _go_on(self) -> None:
        last_before = 0.0
        while not self._stop.wait(_PAUSE):
            began = time.monotonic()
            if not self._answers():
                last_before = last_before or self._answered
                continue
            self._answered = time.monotonic()
            if last_before:
                self.seconds += self._answered - last_before
                last_before = 0.0
            if began >= self._since:
                self._serves.set()

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE)
        try:
            connection.request("GET", "/v2/")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
