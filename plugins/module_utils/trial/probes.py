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
# for a request with all of its answer
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
    """One GET, following nothing: a redirect is an answer. Of a body without an end it is what comes in time.

    :param name: what the port is called in messages.
    """
    deadline = time.monotonic() + REQUEST_SECONDS
    connection = _Hurried(host, port, deadline)
    try:
        connection.request("GET", path, headers={"Connection": "close", **headers})
        response = connection.getresponse()
        body, is_whole = _body(response)
        return Answer(
            status=response.status,
            text=body.decode("utf-8", errors="replace"),
            content_type=response.getheader("Content-Type") or "",
            endless="" if is_whole else "the answer to GET %s has no end within %d s" % (path, REQUEST_SECONDS),
        )
    except socket.timeout:
        return Answer(problem="%s: no answer to GET %s within %d s" % (name, path, REQUEST_SECONDS))
    except (OSError, http.client.HTTPException, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return Answer(problem="%s: GET %s: %s" % (name, path, said))
    finally:
        connection.close()


def _body(response: http.client.HTTPResponse) -> t.Tuple[bytes, bool]:
    """What comes of a body in time, C(MOST_BYTES) at most, and whether that is all that is wanted."""
    most = MOST_BYTES if response.length is None else min(response.length, MOST_BYTES)
    body = b""
    try:
        while len(body) < most:
            part = response.read1(most - len(body))
            if not part:
                break
            body += part
    except socket.timeout:
        return body, False
    return body, True


class _Hurried(http.client.HTTPConnection):
    """A connection with a time at which everything is over, whatever still comes.

    :param deadline: of the monotonic clock.
    """

    def __init__(self, host: str, port: int, deadline: float) -> None:
        super().__init__(host, port)
        self._deadline = deadline

    def connect(self) -> None:
        made = socket.create_connection((self.host, self.port), seconds_left(self._deadline))
        hurried = _HurriedSocket(made.family, made.type, made.proto, made.detach())
        hurried.deadline = self._deadline
        hurried.settimeout(seconds_left(self._deadline))
        self.sock = hurried


class _HurriedSocket(socket.socket):
    """A timeout of its own would begin anew with each byte."""

    deadline = 0.0

    def recv_into(self, *arguments: t.Any, **options: t.Any) -> int:
        self.settimeout(seconds_left(self.deadline))
        return super().recv_into(*arguments, **options)


def seconds_left(deadline: float) -> float:
    """Seconds until a deadline.

    :raises socket.timeout: it is over.
    """
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise socket.timeout("timed out")
    return seconds
