# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask the application next door whether it is up; the cheapest way Python has, for it is a startup probe."""

import os
import socket
import sys


def check(timeout: float = 1.0) -> int:
    """Return 0 when /health on $PORT of this host answers 200 within `timeout` seconds, else 1 and say what was seen."""
    try:
        port = int(os.environ.get("PORT", "8080"))
        with socket.create_connection(("127.0.0.1", port), timeout) as connection:
            connection.sendall(b"GET /health HTTP/1.0\r\n\r\n")
            status = connection.recv(64).partition(b"\r\n")[0].decode("latin-1")
    except (OSError, ValueError) as error:
        print(f"shop check: {error}", file=sys.stderr)
        return 1
    if status.split()[1:2] == ["200"]:
        return 0
    print(f"shop check: /health answered {status!r}", file=sys.stderr)
    return 1
