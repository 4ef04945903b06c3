# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Writes to a registry, which nginx in front of it refuses while a file is there, and those that are under way."""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import os
import ssl
import time
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.counted import counted
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_listeners import clients_of

# nginx comes to the registry from this address when a request may write, and from another when it only reads
WRITERS = "127.0.0.2"
_PAUSE = 0.1
# A request that nginx let through before the refusal has reached the registry by then.
_CALM = 5
_PATIENCE = 10.0


class NotRefused(Exception):
    """Writes cannot be refused, or those under way do not end; in words."""


@dataclasses.dataclass
class Gate:
    """The way on which clients write.

    :param flag: the file in whose presence nginx refuses writes. The system removes its directory when the service ends.
    :param scheme: C(http) or C(https), by which nginx serves on C(address) and C(port).
    :param backend_port: the registry's own port on 127.0.0.1.
    :param refused_seconds: how long writes were refused, once they are let through again.
    """

    flag: str
    scheme: str
    address: str
    port: int
    backend_port: int
    refused_seconds: float = 0.0
    _closed_at: t.Optional[float] = None

    def close(self) -> None:
        """Refuse writes.

        :raises NotRefused: nginx does not.
        """
        self._closed_at = time.monotonic()
        with open(self.flag, "w"):
            pass
        status = self.status_of_a_write()
        if status != 503:
            raise NotRefused(
                "nginx on %s port %d answers a write with HTTP %d, where it has to refuse it with 503. Run the role registry "
                "again, which puts its site right" % (self.address, self.port, status)
            )

    def open(self) -> None:
        """Let writes through, whether they are refused or not."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.flag)
        if self._closed_at is not None:
            self.refused_seconds += time.monotonic() - self._closed_at
            self._closed_at = None

    def status_of_a_write(self) -> int:
        """The HTTP status of a request that would write, and that no registry takes.

        :raises NotRefused: nothing answers.
        """
        kept: t.Dict[str, t.Any] = {"timeout": _PATIENCE}
        connection = (
            http.client.HTTPSConnection(self.address, self.port, context=_any_certificate(), **kept)
            if self.scheme == "https"
            else http.client.HTTPConnection(self.address, self.port, **kept)
        )
        try:
            connection.request("PUT", "/v2/")
            return connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            raise NotRefused("nginx does not answer on %s port %d (%s)" % (self.address, self.port, error)) from None
        finally:
            connection.close()

    @property
    def under_way(self) -> int:
        """How many requests that may write the registry works on."""
        return clients_of(self.backend_port).count(WRITERS)

    def wait_for_a_quiet_moment(self, deadline: float) -> None:
        """Return at the first moment without a write, and anyway at C(deadline) of C(time.monotonic); nothing is refused yet."""
        while self.under_way and time.monotonic() < deadline:
            time.sleep(_PAUSE)

    def wait(self, deadline: float) -> None:
        """Return when no write is under way any more, and none that was let through before can come.

        :param deadline: of C(time.monotonic).
        :raises NotRefused: there is still one.
        """
        calm = 0
        while calm < _CALM:
            under_way = self.under_way
            if under_way and time.monotonic() > deadline:
                raise NotRefused(
                    "%s did not end while writes were refused. Choose a quieter time, or have "
                    "registry_collect_refuse_seconds be more" % counted(under_way, "upload")
                )
            calm = 0 if under_way else calm + 1
            time.sleep(_PAUSE)


def _any_certificate() -> ssl.SSLContext:
    """It is this host that is asked, whatever the name in its certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
