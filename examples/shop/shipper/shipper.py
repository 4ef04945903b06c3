# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sidecar: reads the application's /metrics next door and ships them as JSON lines on stdout."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import urllib.request


def samples(text: str) -> dict[str, float]:
    """The samples of Prometheus' text format, by name with labels; comments are passed over."""
    lines = (line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, space, value in lines}


def ship(url: str) -> None:
    """Read once and print one line: the samples, or why there are none."""
    line: dict[str, object] = {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "source": url}
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            line["metrics"] = samples(answer.read().decode())
    except (OSError, ValueError) as error:
        line["error"] = str(error)
    print(json.dumps(line), flush=True)


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    url = os.environ.get("METRICS_URL", "http://127.0.0.1:8080/metrics")
    seconds = float(os.environ.get("INTERVAL_SECONDS", "15"))
    while True:
        ship(url)
        time.sleep(seconds)


if __name__ == "__main__":
    main()
