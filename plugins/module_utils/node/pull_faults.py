# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What an engine says when it cannot pull or push, told apart: the one table for every stage.

The words are those of containerd 1.6 to 2.2, CRI-O 1.36, Docker 20.10 to 28 and Podman 4.3 to 5.8, which hand on the
registry's and Go's. The kinds are those of C(RegistryError), so that a pull by a node and a request from the controller are told
alike, and some that only an engine has.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.node.said import cause_in, core_of


@dataclasses.dataclass(frozen=True)
class PullFault:
    """One way to fail.

    :param cause: a clause; C({engine}) stands for the engine, with its place where that is known, C({registry}) for the registry.
    :param way_out: sentences. 'There' is where the engine runs.
    :param heals: whether it may pass by itself, so that some time is given to it.
    :param of_registry: whether another image of the same registry fares no better on this engine.
    """

    kind: str
    cause: str
    way_out: str
    heals: bool = False
    of_registry: bool = False

    def because(self, engine: str, registry: str) -> str:
        """The cause as a clause.

        :param engine: as in "containerd on n1".
        :param registry: as in "the registry registry.example:5000".
        """
        return self.cause.format(engine=engine, registry=registry)

    def told(self, engine: str, registry: str, said: str) -> str:
        """The cause, what the engine said, and the way out, as sentences; the first begins in lower case."""
        cause, speaker = self.because(engine, registry), engine[:1].upper() + engine[1:]
        return "%s. %s said: %s. %s" % (cause, speaker, core_of(said) or "nothing", self.way_out)


_CHECK_THE_RIGHT = (
    "Check whether this user may, and the image's name; without a login, set 'username' and 'password' of the registry."
)
_FORBIDDEN = PullFault("forbidden", "{registry} does not allow this to {engine}", _CHECK_THE_RIGHT)
_TIMEOUT = PullFault(
    "timeout",
    "{registry} does not answer {engine} in time",
    "Look for a firewall that drops packets between the two, a proxy in the engine's environment, and at the registry's load.",
    heals=True,
    of_registry=True,
)


def _status(numbers: str, words: str) -> str:
    """How engines write an HTTP status: by its words, or as a number behind 'status'; a bare number could be anything."""
    return r"\bstatus(?: ?code)?(?: from registry)?:? (?:%s)\b|\b(?:%s):? \(?(?:%s)" % (numbers, numbers, words)


# An engine wraps one failure into many words: the first expression found decides, hence the narrow ones first.
_SIGNS: t.Tuple[t.Tuple[str, PullFault], ...] = (
    (
        r"unknown service runtime\.v1|code = Unimplemented",
        PullFault(
            "cri",
            "{engine} runs and its CRI does not",
            "Look into its log for the plugin that failed to load, and mend its configuration.",
            heals=True,
            of_registry=True,
        ),
    ),
    (
        r"dial unix|validate CRI v1 \w+ API",
        PullFault(
            "engine",
            "{engine} does not answer",
            "Look whether it runs there, and whether its CRI is enabled.",
            heals=True,
            of_registry=True,
        ),
    ),
    (
        r"no space left on device|disk quota exceeded",
        PullFault(
            "disk",
            "{engine} has no room left for the image",
            "Free space where it keeps its images, or remove images that nothing uses.",
            of_registry=True,
        ),
    ),
    (
        r"server gave HTTP response to HTTPS client",
        PullFault(
            "https_on_http",
            "{engine} speaks TLS to {registry}, which answers without",
            "Put TLS in front of it, or if plain HTTP is wanted, run registry_trust there with 'tls' set to plain.",
            of_registry=True,
        ),
    ),
    (
        r"HTTP request (?:was )?(?:sent )?to (?:an )?HTTPS (?:server|port)|malformed HTTP response"
        r"|HTTP 400 response body: invalid character '<'",
        PullFault(
            "http_on_https",
            "{engine} speaks to {registry} without TLS, where TLS is spoken",
            "Run registry_trust there with 'tls' set to verified, and 'ca' if the registry's authority is private. Docker "
            "falls back to plain HTTP where a registry is listed as insecure and TLS or the login fails.",
            of_registry=True,
        ),
    ),
    (
        r"certificate has expired|is not yet valid",
        PullFault(
            "clock",
            "for {engine} the certificate of {registry} has expired or is not valid yet",
            "Look at the clock of that host first, then renew the certificate.",
            of_registry=True,
        ),
    ),
    (
        r"signed by unknown authority|certificate is not trusted|unable to get local issuer|self[- ]signed certificate",
        PullFault(
            "ca",
            "{engine} does not trust {registry}: its certificate comes from an authority that is unknown there",
            "Run registry_trust there, with 'ca' of the registry set to the certificate of that authority.",
            of_registry=True,
        ),
    ),
    (r"TLS handshake timeout", _TIMEOUT),
    (
        r"x509:|tls: |TLS handshake",
        PullFault(
            "tls",
            "{engine} and {registry} do not agree on TLS",
            "Look whether the certificate is for the name or address that the image begins with, and which TLS versions the "
            "registry offers.",
            of_registry=True,
        ),
    ),
    (
        r"dial \w+: lookup|no such host|server misbehaving|failure in name resolution|name or service not known",
        PullFault(
            "name",
            "{engine} cannot resolve the name of {registry}",
            "Check the name, and how that host resolves names.",
            heals=True,
            of_registry=True,
        ),
    ),
    (
        r"connection refused|no route to host|network is unreachable",
        PullFault(
            "refused",
            "{engine} does not reach {registry}",
            "Look whether the registry runs, at its host and port, and for a firewall or a missing route between the two.",
            heals=True,
            of_registry=True,
        ),
    ),
    (
        r"unexpected (?:commit )?digest|digest did not match|does not match (?:the )?digest|verification failed for digest",
        PullFault(
            "digest",
            "what {registry} serves to {engine} has another digest than its name says",
            "The registry's storage, or a mirror or proxy between, is damaged: push the image again.",
        ),
    ),
    (
        r"no match for platform|no matching manifest|no image found in (?:image index|manifest list)",
        PullFault(
            "platform",
            "{registry} has the image, and not for the platform of {engine}",
            "Build and push it for that platform as well.",
        ),
    ),
    (
        r"toomanyrequests|too many requests|bad gateway|service unavailable|gateway time-?out|"
        + _status("429|50[234]", "too many|service|bad|gateway"),
        PullFault(
            "busy",
            "{registry} takes no more requests now",
            "Try again later; if it goes on, look at the registry's own log.",
            heals=True,
            of_registry=True,
        ),
    ),
    (r"insufficient_scope", _FORBIDDEN),
    (
        r"unauthorized|no basic auth credentials|authentication required|authorization failed|incorrect username"
        r"|invalid username/password|" + _status("401", "unauthorized"),
        PullFault(
            "unauthorized",
            "{registry} does not let {engine} in",
            "Set 'username' and 'password' of the registry, or correct them.",
        ),
    ),
    (r"(?<!permission )denied|\bforbidden|" + _status("403", "forbidden"), _FORBIDDEN),
    (
        r"manifest unknown|manifest invalid|name unknown|blob unknown|no such image|(?<!file )(?<!program )\bnot found|"
        r"NotFound|" + _status("404", "not found"),
        PullFault(
            "not_found",
            "{registry} does not have this image",
            "Push it, or correct its name; a digest must be the one that the registry serves.",
        ),
    ),
    (r"i/o timeout|deadline exceeded|DeadlineExceeded|Client\.Timeout|timed out|\btimeout\b", _TIMEOUT),
)
_FAULTS = tuple((re.compile(expression, re.IGNORECASE), fault) for expression, fault in _SIGNS)
_OTHER = PullFault(
    "other", "{engine} failed for a reason of its own", "The log of the engine on that host says more.", heals=True
)

ENGINE_SILENT = next(fault for _expression, fault in _SIGNS if fault.kind == "engine")
KINDS = tuple(dict.fromkeys([*(fault.kind for _expression, fault in _SIGNS), _OTHER.kind]))


def fault_in(said: str, image: str = "") -> PullFault:
    """Which failure an engine's words tell of.

    :param image: the image's name, which counts for nothing in them.
    """
    cause = cause_in(said, image)
    return next((fault for expression, fault in _FAULTS if expression.search(cause)), _OTHER)
