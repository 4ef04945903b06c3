# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What can go wrong between here and a registry, told as the endpoint, the cause and the way out."""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError

KINDS = (
    "refused",  # nothing at that address takes the connection, or there is no way to it
    "name",  # the host's name is not known
    "timeout",
    "tls",  # the handshake fails, or the certificate is for another host
    "ca",  # the certificate's issuer is not trusted
    "clock",  # the certificate has expired or is not valid yet
    "http_on_https",  # tls is plain and the server speaks TLS
    "https_on_http",  # tls is not plain and the server speaks HTTP
    "unauthorized",
    "forbidden",
    "not_found",
    "other",
)
# of a registry that is not there, or not yet
NOT_THERE = ("refused", "name", "timeout")


class RegistryError(DeliveryError):
    """A registry that cannot be reached, refuses, or answers what cannot be right.

    :param kind: one of C(KINDS).
    :param status: the HTTP status, where there was one.
    """

    def __init__(self, endpoint: str, kind: str, cause: str, status: t.Optional[int] = None) -> None:
        super().__init__("Registry %s: %s" % (endpoint, cause), registry_endpoint=endpoint, registry_error=kind)
        if kind not in KINDS:
            raise ValueError(kind)
        self.endpoint = endpoint
        self.kind = kind
        self.status = status


class Answer(t.NamedTuple):
    """An answer over HTTP: status, reason, headers with their names in lower case, and the body's bytes."""

    status: int
    reason: str
    headers: t.Mapping[str, str]
    body: bytes

    @property
    def proxy(self) -> t.Optional[str]:
        """What shows of a proxy that it came by; None where nothing does."""
        return self.headers.get("via") or self.headers.get("x-squid-error")

    def said(self, secrets: t.Sequence[str] = ()) -> str:
        """What the server says of an error: the entries of the registry's C(errors), or the page's text, on one line.

        :param secrets: what must not show, should the server repeat it.
        """
        text = self.body.decode("utf-8", "replace")
        try:
            errors = [_entry(entry) for entry in json.loads(text)["errors"]]
        except (ValueError, KeyError, TypeError):
            errors = []
        if not errors:
            text = re.sub(r"(?s)<(style|script).*?</\1>|<[^>]*>", " ", text)
            errors = [" ".join(text.split())]
        said = "; ".join(errors) or self.reason
        for secret in secrets:
            said = said.replace(secret, "***")
        return said if len(said) <= 300 else said[:300] + "..."


def _entry(entry: t.Mapping[str, t.Any]) -> str:
    detail = entry.get("detail")
    told = ": ".join(str(entry[key]) for key in ("code", "message") if entry.get(key))
    if detail:
        told += " (%s)" % (detail if isinstance(detail, str) else json.dumps(detail, sort_keys=True))
    return told


_SENT_HTTP_TO_HTTPS = re.compile(r"HTTP request (?:was sent )?to (?:an )?HTTPS (?:server|port)", re.IGNORECASE)


def speaks_tls_after_all(answer: Answer) -> bool:
    """Whether this answer to a plain request says that TLS is spoken there: the words of Go's server, nginx and Apache."""
    if answer.status != 400 and answer.status != 497:
        return False
    text = answer.body.decode("utf-8", "replace")
    return bool(_SENT_HTTP_TO_HTTPS.search(text)) or "speaking plain HTTP to an SSL-enabled server port" in text


# By the number of the system's error on Linux, which a release 2.8 and 3 of distribution hands on in the detail of UNKNOWN
# (DriverName and Enclosed of its storage driver's errors).
_ROOM = "Make room on its host: prune_registry and collect_garbage of this collection do."
_OF_STORAGE = {
    5: ("its disk fails", "See the kernel's log on its host."),
    13: ("it may not use its own storage", "Give the directory to the user that the registry runs as."),
    28: ("there is no room left on its disk", _ROOM),
    30: ("its storage is read-only", "See the kernel's log on its host, and how that is mounted."),
    122: ("the quota of its disk is used up", _ROOM),
}


def _fault_of_storage(answer: Answer) -> t.Optional[t.Tuple[str, str]]:
    """What is wrong with the registry's storage, and the way out; None where the answer does not say so."""
    try:
        first = json.loads(answer.body.decode("utf-8", "replace"))["errors"][0]
        return _OF_STORAGE.get(first["detail"]["Enclosed"]["Err"])
    except (ValueError, LookupError, TypeError):
        return None


def refusal(
    endpoint: str, what: str, answer: Answer, username: t.Optional[str], secrets: t.Sequence[str] = ()
) -> RegistryError:
    """The error for an HTTP status that is none of success.

    :param what: what was asked, as in "the manifest shop/web:1.4".
    :param username: who asked, None for nobody.
    :param secrets: what the message must not show.
    """
    status, said = answer.status, answer.said(secrets)
    numbered = "HTTP %d: %s" % (status, said)
    kind = "other"
    if status == 401 and username is None:
        kind = "unauthorized"
        cause = "it wants a login for %s (%s). Set 'username' and 'password' of the registry." % (what, numbered)
    elif status == 401:
        kind = "unauthorized"
        cause = "it refuses user %r for %s (%s). Check 'username' and 'password'." % (username, what, numbered)
    elif status == 403:
        kind = "forbidden"
        who = "nobody in particular may not" if username is None else "user %r may not" % username
        way_out = (
            "Set 'username' and 'password' of the registry."
            if username is None
            else "Ask for this right, or use another user."
        )
        cause = "%s reach %s (%s). %s" % (who, what, numbered, way_out)
    elif status == 404:
        kind = "not_found"
        cause = "it has not %s (%s)." % (what, numbered)
    elif status == 405:
        cause = (
            "it does not allow this for %s (%s). A registry that mirrors takes no push, and one without "
            "'storage.delete.enabled' deletes nothing." % (what, numbered)
        )
    elif status == 407:
        cause = "a proxy in between wants a login (%s). Have this address go without it, or ask who runs it." % numbered
    elif status == 413:
        cause = (
            "what was sent for %s is too large for the server in front of it (%s). nginx: client_max_body_size 0."
            % (what, numbered)
        )
    elif status in (429, 503):
        after = answer.headers.get("retry-after", "")
        cause = "it takes no request for %s now (%s). Try again%s." % (
            what,
            numbered,
            (" in %s s" if after.isdigit() else " after %s") % after if after else " later",
        )
    elif status in (502, 504):
        cause = (
            "the server in front does not reach the registry behind it (%s). Look whether the registry runs there."
            % numbered
        )
    else:
        of_storage = _fault_of_storage(answer)
        cause = (
            "%s, for %s (%s). %s" % (of_storage[0], what, numbered, of_storage[1])
            if of_storage
            else "it answers %s for %s. The registry's own log says more." % (numbered, what)
        )
    if answer.proxy and status in (403, 502, 503, 504):
        cause += " There is a proxy in between (%s), whose answer this may be." % answer.proxy
    return RegistryError(endpoint, kind, cause, status)
