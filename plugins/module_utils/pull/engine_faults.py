# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What an engine says when it cannot reach a registry or take an image, told as one cause and a way out.

The words are those of containerd 1.6 to 2.2, CRI-O 1.36, Docker 20.10 to 28 and Podman 4.3 to 5.8.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError

# An engine wraps one failure into many words: the first expression found decides, hence the narrow ones first.
_SIGNS: t.Tuple[t.Tuple[str, str], ...] = (
    ("engine", r"dial unix|unknown service runtime\.v1\.ImageService|validate CRI v1 image API"),
    ("disk", r"no space left on device|disk quota exceeded"),
    ("https_on_http", r"server gave HTTP response to HTTPS client"),
    (
        "http_on_https",
        r"error parsing HTTP 400 response body: invalid character '<'|HTTP request (was )?(sent )?to (an )?HTTPS (server|port)",
    ),
    ("clock", r"certificate has expired|not yet valid"),
    ("ca", r"signed by unknown authority|certificate is not trusted"),
    ("tls", r"x509:|tls: |remote error: tls"),
    ("name", r"no such host|server misbehaving|Temporary failure in name resolution|\blookup \S+( on \S+)?:"),
    ("refused", r"connection refused|no route to host|network is unreachable"),
    (
        "digest",
        r"unexpected (commit )?digest|digest did not match|does not match (the )?digest|verification failed for digest",
    ),
    (
        "unauthorized",
        r"no basic auth credentials|unauthorized|401 Unauthorized|invalid username/password|authentication required",
    ),
    ("forbidden", r"403 Forbidden|denied|insufficient_scope"),
    ("not_found", r"manifest unknown|name unknown|blob unknown|404 Not Found|: not found|no such image|No such image"),
    ("busy", r"429 Too Many|toomanyrequests|50[234] (Service|Bad|Gateway)"),
    ("timeout", r"i/o timeout|deadline exceeded|timed out|Client\.Timeout|TLS handshake timeout|timeout"),
)
_KINDS = tuple((kind, re.compile(expression)) for kind, expression in _SIGNS)

# {engine} is the engine with its place, {registry} an endpoint.
_TOLD: t.Dict[str, t.Tuple[str, str]] = {
    "engine": ("{engine} does not answer", "Look whether it runs there, and whether its CRI is enabled."),
    "disk": ("{engine} has no room left for the image", "Free space there, or remove images that nothing uses."),
    "https_on_http": (
        "{engine} speaks TLS to {registry}, which answers without",
        "Set 'tls' of the registry to plain and run the trust stage for this host.",
    ),
    "http_on_https": (
        "{engine} speaks to {registry} without TLS, where TLS is spoken",
        "Set 'tls' of the registry to verified and run the trust stage for this host.",
    ),
    "clock": (
        "for {engine} the certificate of {registry} has expired or is not valid yet",
        "Look at the clock of that host first, then renew the certificate.",
    ),
    "ca": (
        "{engine} does not trust {registry}: its certificate comes from an authority that is unknown there",
        "Run the trust stage for this host (longshore.delivery.trust).",
    ),
    "tls": (
        "{engine} and {registry} do not agree on TLS",
        "Compare the name in use with those in the certificate, and run the trust stage for this host.",
    ),
    "name": (
        "the host running {engine} cannot resolve the name of {registry}",
        "Give that host the name, or use an address.",
    ),
    "refused": (
        "nothing takes the connection of {engine} to {registry}",
        "Look whether the registry runs, and for a firewall between the two.",
    ),
    "timeout": (
        "{registry} does not answer {engine} in time",
        "Look for a firewall that drops packets between the two, and at the load of the registry.",
    ),
    "unauthorized": ("{registry} does not let {engine} in", "Set or check 'username' and 'password' of the registry."),
    "forbidden": ("{registry} forbids it to {engine}", "Ask for the right, or use another user."),
    "not_found": ("{registry} does not have it, says {engine}", "Push it first, or correct name and digest."),
    "digest": (
        "what {registry} serves to {engine} has another digest than its name says",
        "The registry's storage, or a mirror or proxy between, is damaged: push the image again.",
    ),
    "busy": (
        "{registry} takes no more requests now",
        "Try again later; if it goes on, look at the registry's own log.",
    ),
    "other": ("{engine} failed with {registry}", "The log of the engine on that host says more."),
}
# With these, another image of the same registry fares no better.
OF_THE_REGISTRY = frozenset(
    ("engine", "disk", "https_on_http", "http_on_https", "clock", "ca", "tls", "name", "refused", "timeout", "busy")
)

_WRAPPING = re.compile(
    r"(?:(?:Error|pulling image|pull image err|RegistryUnavailable|unable to pull image(?: or OCI artifact)?|failed to do request"
    r'|failed to pull and unpack image "[^"]*"|failed to resolve (?:image|reference "[^"]*")|initializing source \S+?(?=: )): )*'
)


class EngineError(DeliveryError):
    """An engine that cannot be reached or cannot do it.

    :param kind: a key of C(_TOLD).
    """

    def __init__(self, msg: str, kind: str, **facts: t.Any) -> None:
        super().__init__(msg, engine_error=kind, **facts)
        self.kind = kind


def kind_of(said: str) -> str:
    """Which of the known failures these words of an engine tell of."""
    return next((kind for kind, expression in _KINDS if expression.search(said)), "other")


def engine_error(doing: str, engine: str, registry: str, said: str, kind: t.Optional[str] = None) -> EngineError:
    """The error for what an engine said.

    :param doing: what was tried, as in "Pulling shop/web@sha256:...".
    :param engine: which engine and where, as in "containerd on n1".
    """
    kind = kind or kind_of(said)
    cause, way_out = _TOLD[kind]
    told = "%s failed: %s. The engine said: %s. %s" % (
        doing,
        cause.format(engine=engine, registry="the registry %s" % registry),
        core_of(said) or "nothing",
        way_out,
    )
    return EngineError(told, kind)


def core_of(said: str) -> str:
    """The innermost of an engine's words, on one line, without what it wraps around them, naming the image again and again."""
    lines = [line for line in said.splitlines() if line.startswith("Error: ")] or [said]
    core = " ".join(lines[-1].split())
    core = (
        core[len(t.cast("re.Match[str]", _WRAPPING.match(core)).group()) :].partition("; artifact err: ")[0].rstrip(".")
    )
    return core if len(core) <= 500 else core[:500] + "..."
