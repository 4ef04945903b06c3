# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""How long the authorities of a PEM text are valid, read by Python's own ssl module: nodes have no other library."""

from __future__ import annotations

import contextlib
import ssl
import time
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.registry.clock import moment

DAY = 86400


def ends(pem: str) -> t.List[float]:
    """When each of these authorities expires, in seconds since 1970; certificates that are of no authority do not count."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with contextlib.suppress(ssl.SSLError, ValueError, TypeError):
        context.load_verify_locations(cadata=pem)
    return [ssl.cert_time_to_seconds(str(authority["notAfter"])) for authority in context.get_ca_certs()]


def days_left(pem: str, now: t.Optional[float] = None) -> int:
    """Days until the first of these authorities expires; -1 when there is none in the text."""
    found = ends(pem)
    return int((min(found) - (time.time() if now is None else now)) // DAY) if found else -1


def remark(pem: str, now: t.Optional[float] = None) -> str:
    """What is to be said of authorities that have expired, as a sentence behind the option's name; empty where none has."""
    now = time.time() if now is None else now
    found = ends(pem)
    expired = sorted(end for end in found if end < now)
    if not expired:
        return ""
    if len(expired) == len(found):
        return "expired on %s: no engine takes a certificate of it any more. Give the one that is in use now." % moment(
            expired[-1]
        )
    return "holds one that expired on %s beside others. Leave that one away." % moment(expired[0])
