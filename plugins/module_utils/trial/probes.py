# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Asking something that runs: over HTTP as a probe of Kubernetes does, and by a connection alone."""

from __future__ import annotations

import http.client
import socket
import time
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.trial.observed import Answer

PAUSE_SECONDS = 0.1
REQUEST_SECONDS = 5.0
# how long a connection is to last: Docker's proxy takes each, and closes it at once where nobody listens behind it
LASTING_SECONDS = 0.25
MOST_BYTES = 1024 * 1024

_T = t.TypeVar("_T")


def await_(ask: t.Callable[[], _T], enough: t.Callable[[_T], bool], seconds: float) -> _T:
    """Ask until the answer is enough or the time is over, and return the last one.

    :param seconds: from now on; it is asked at least once.
    """
    deadline = time.monotonic() + seconds
    while True:
        found = ask()
        if enough(found) or time.monotonic() >= deadline:
            return found
        time.sleep(PAUSE_SECONDS)


def connect(host: str, port: int, name: str) -> Answer:
    """Connect, and see that the connection lasts.

    :param name: what the port is called in messages.
    """
    try:
        with socket.create_connection((host, port), REQUEST_SECONDS) as connection:
            connection.settimeout(LASTING_SECONDS)
            try:
                if connection.recv(1):
                    return Answer()
            except socket.timeout:
                return Answer()
    except socket.timeout:
        return Answer(
            problem="%s: nothing answers at %s:%d, where the engine publishes it; a firewall may be between"
            % (name, host, port)
        )
    except OSError as error:
        return Answer(problem="%s: %s" % (name, error.strerror or error))
    return Answer(problem="%s: the connection is closed at once" % name)


def get(host: str, port: int, path: str, headers: t.Mapping[str, str], name: str) -> Answer:
    """One GET, following nothing: a redirect is an answer.

    :param name: what the port is called in messages.
    """
    connection = http.client.HTTPConnection(host, port, timeout=REQUEST_SECONDS)
    try:
        connection.request("GET", path, headers={"Connection": "close", **headers})
        response = connection.getresponse()
        body = response.read(MOST_BYTES)
        return Answer(
            status=response.status,
            text=body.decode("utf-8", errors="replace"),
            content_type=response.getheader("Content-Type") or "",
        )
    except socket.timeout:
        return Answer(problem="%s: no answer to GET %s within %d s" % (name, path, REQUEST_SECONDS))
    except (OSError, http.client.HTTPException, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return Answer(problem="%s: GET %s: %s" % (name, path, said))
    finally:
        connection.close()
