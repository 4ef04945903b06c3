# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs on a node: send requests to a URL one after the other, one at least, until a file appears, and count what came of them.

load_script.py URL STOP_FILE LIMIT_SECONDS; Python 3.9 and its standard library. Every request is a connection of its own, so
that each asks the Service anew for a pod. C(stopped) says whether the file ended it, or the limit.
"""

from __future__ import annotations

import collections
import http.client
import json
import os
import sys
import time
import urllib.parse

INTERVAL_SECONDS = 0.02


def main() -> None:
    url, stop_file, limit = urllib.parse.urlsplit(sys.argv[1]), sys.argv[2], float(sys.argv[3])
    answers: collections.Counter[str] = collections.Counter()
    failures: collections.Counter[str] = collections.Counter()
    end = time.monotonic() + limit
    while time.monotonic() < end:
        connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=5)
        try:
            connection.request("GET", url.path or "/")
            response = connection.getresponse()
            body = response.read().decode()
            if response.status == 200:
                answers[json.loads(body).get("greeting")] += 1
            else:
                failures["HTTP %d" % response.status] += 1
        except (OSError, http.client.HTTPException, ValueError) as error:
            failures["%s: %s" % (type(error).__name__, error)] += 1
        finally:
            connection.close()
        if os.path.exists(stop_file):
            break
        time.sleep(INTERVAL_SECONDS)
    stopped = os.path.exists(stop_file)
    if stopped:
        os.unlink(stop_file)
    print(json.dumps({"answers": answers, "failures": failures, "stopped": stopped}))


main()
