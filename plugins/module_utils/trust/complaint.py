# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What an engine says when a pull fails, told apart, with the way out in the user's words."""

from __future__ import annotations

import re
import typing as t

CA = "ca"
NOT_FOUND = "not_found"
UNAUTHORIZED = "unauthorized"

_LOGIN = "Check 'username' and 'password' of the registry, and whether this user may pull."
# The order matters: what is told by an outer text comes after what tells the cause. Kinds as in registry/errors.py,
# and three more.
_COMPLAINTS: t.Tuple[t.Tuple[str, str, str, str], ...] = (
    (
        "cri",
        r"unknown service runtime\.v1|code = Unimplemented",
        "the engine runs and its CRI does not",
        "Look into its log for the plugin that failed to load, and mend its configuration.",
    ),
    (
        CA,
        r"certificate signed by unknown authority|certificate is not trusted|unable to get local issuer",
        "it does not trust the authority of the registry's certificate",
        "Set 'ca' of the registry to the certificate of the authority that signed it.",
    ),
    (
        "clock",
        r"certificate has expired or is not yet valid",
        "the registry's certificate is not valid at this node's time",
        "Renew the certificate, or set the node's clock right.",
    ),
    (
        "tls",
        r"x509: |tls: |TLS handshake|remote error: ",
        "the TLS handshake with the registry fails",
        "Look whether the certificate is for the name or address in 'endpoint', and which TLS versions the registry "
        "offers.",
    ),
    (
        "https_on_http",
        r"server gave HTTP response to HTTPS client",
        "the registry speaks plain HTTP and the engine TLS",
        "Set 'tls' to plain if that is wanted, or put TLS in front of the registry.",
    ),
    (
        "http_on_https",
        r"sent an HTTP request to an HTTPS server|HTTP request was sent to HTTPS port|malformed HTTP response|HTTP "
        r"400 response body: "
        r"invalid character '<'",
        "the engine speaks plain HTTP and the registry TLS",
        "Set 'tls' to verified (with 'ca' if its authority is private), or to unverified. Docker falls back to HTTP "
        "where a registry is "
        "listed as insecure and TLS or the login fails.",
    ),
    (
        "name",
        r"no such host|server misbehaving|[Tt]emporary failure in name resolution|Name or service not known",
        "the registry's name is not known on this node",
        "Check the name, and how this node resolves names.",
    ),
    (
        "refused",
        r"connection refused|no route to host|network is unreachable",
        "nothing takes connections at the registry's address",
        "Check host and port, a firewall, and whether the registry runs.",
    ),
    (
        UNAUTHORIZED,
        r"\b401\b|[Uu]nauthorized|no basic auth credentials|authentication required|authorization failed|incorrect "
        r"username",
        "the registry refuses the login",
        _LOGIN,
    ),
    ("forbidden", r"\b403\b|[Ff]orbidden|denied", "the registry does not allow this pull", _LOGIN),
    (
        "disk",
        r"no space left on device|disk quota exceeded",
        "the node's disk is full",
        "Make room where the engine keeps its images.",
    ),
    (
        NOT_FOUND,
        r"\b404\b|not found|manifest unknown|NotFound|name unknown|manifest invalid",
        "the registry has no such image",
        "Something between this node and the registry answers in its place, or two registries have this name: look "
        "what the name resolves "
        "to on this node.",
    ),
    (
        "timeout",
        r"i/o timeout|deadline exceeded|Client\.Timeout|timed out|DeadlineExceeded",
        "the registry does not answer in time",
        "Check the address, a firewall that drops packets, a proxy in the engine's environment, and whether the "
        "registry is overloaded.",
    ),
)


class PullFailed(Exception):
    """A pull that failed; the text is what the engine said."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = _shortened(said)

    @property
    def kind(self) -> str:
        """What it was: one of the kinds of registry errors, C(cri), C(disk), or C(other)."""
        return _complaint(self.said)[0]

    @property
    def cause(self) -> str:
        """The cause, what the engine said, and the way out."""
        _kind, cause, way_out = _complaint(self.said)
        return "%s. It says: %s. %s" % (cause, self.said.rstrip("."), way_out)


def _complaint(said: str) -> t.Tuple[str, str, str]:
    for kind, pattern, cause, way_out in _COMPLAINTS:
        if re.search(pattern, said):
            return kind, cause, way_out
    return "other", "the pull fails", "The engine's log on this node says more."


def _shortened(said: str) -> str:
    """One line without what repeats: crictl and Podman say the same error two or three times around each other."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if re.search(r"(?i)error|fatal|denied|failed", line)] or lines
    text = errors[-1] if errors else "nothing at all"
    text = re.sub(r'^time="[^"]*" level=\w+ msg=', "", text)
    return text if len(text) <= 600 else text[:300] + " ... " + text[-300:]
