# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The numbers /metrics shows, in Prometheus' text format 0.0.4."""

from __future__ import annotations

import threading
from collections import Counter

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)  # seconds


class Metrics:
    """Counts requests; safe to use from every thread of the server."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, int]] = Counter()
        self._buckets: Counter[float] = Counter()
        self._seconds = 0.0
        self._in_flight = 0

    def began(self) -> None:
        """A request came in."""
        with self._lock:
            self._in_flight += 1

    def ended(self, path: str, status: int, seconds: float) -> None:
        """A request was answered; `path` is one of the routes, never what a client made up."""
        with self._lock:
            self._in_flight -= 1
            self._requests[path, status] += 1
            self._seconds += seconds
            for bound in BUCKETS:
                if seconds <= bound:
                    self._buckets[bound] += 1

    def text(self, ready: bool) -> str:
        """Everything counted so far, and whether the application is ready."""
        with self._lock:
            total = sum(self._requests.values())
            lines = [
                "# HELP shop_info The application's version.",
                "# TYPE shop_info gauge",
                f'shop_info{{version="{self._version}"}} 1',
                "# HELP shop_ready Whether /ready answers 200.",
                "# TYPE shop_ready gauge",
                f"shop_ready {int(ready)}",
                "# HELP shop_requests_in_flight Requests being answered, this one included.",
                "# TYPE shop_requests_in_flight gauge",
                f"shop_requests_in_flight {self._in_flight}",
                "# HELP shop_requests_total Requests answered.",
                "# TYPE shop_requests_total counter",
                *(
                    f'shop_requests_total{{path="{path}",status="{status}"}} {count}'
                    for (path, status), count in sorted(self._requests.items())
                ),
                "# HELP shop_request_seconds Time to an answer.",
                "# TYPE shop_request_seconds histogram",
                *(f'shop_request_seconds_bucket{{le="{bound}"}} {self._buckets[bound]}' for bound in BUCKETS),
                f'shop_request_seconds_bucket{{le="+Inf"}} {total}',
                f"shop_request_seconds_sum {self._seconds:.6f}",
                f"shop_request_seconds_count {total}",
            ]
        return "\n".join(lines) + "\n"
