# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Why an image could not be pulled, from what the runtime says.

The texts are those of containerd 1.6 to 2.2 and CRI-O 1.36, which hand on the registry's and Go's words; the classes are those of
C(RegistryError), so that a pull by a pod and a request from the controller are told alike.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t


@dataclasses.dataclass(frozen=True)
class PullClass:
    """A kind of failure; one that C(heals) may pass by itself and is given some time."""

    kind: str
    cause: str
    remedy: str
    heals: bool = False


# The first that matches decides: what is said inside of another error comes first.
_CLASSES: t.Sequence[t.Tuple[str, PullClass]] = (
    (
        r"server gave HTTP response to HTTPS client|http: server gave HTTP",
        PullClass(
            "https_on_http",
            "the node speaks TLS and the registry plain HTTP",
            "Give the registry a certificate, or run registry_trust for this node with 'tls: plain'",
        ),
    ),
    (
        r"HTTP request to an HTTPS server|malformed HTTP response",
        PullClass(
            "http_on_https",
            "the node speaks plain HTTP and the registry TLS",
            "Run registry_trust for this node with 'tls: verified'",
        ),
    ),
    (
        r"certificate signed by unknown authority|unable to get local issuer|self[- ]signed certificate",
        PullClass(
            "ca",
            "the node does not trust the registry's certificate",
            "Run registry_trust for this node with the registry's CA",
        ),
    ),
    (
        r"certificate has expired or is not yet valid",
        PullClass("clock", "the registry's certificate is not valid now", "Renew it, or set the node's clock"),
    ),
    (
        r"x509:|tls: |remote error: tls",
        PullClass(
            "tls",
            "the TLS handshake with the registry fails",
            "Check that the registry's certificate is for the name that the image begins with",
        ),
    ),
    (
        r"\b401\b|unauthorized|no basic auth credentials|authentication required|authorization failed",
        PullClass(
            "unauthorized",
            "the registry does not accept the node's credentials, or got none",
            "Set username and password in the task's 'registry', or correct them",
        ),
    ),
    (
        r"\b403\b|forbidden|access to the resource is denied|\bdenied\b",
        PullClass(
            "forbidden", "the registry refuses these credentials this image", "Grant the user the right to pull it"
        ),
    ),
    (
        r"no match for platform|no matching manifest|no image found in (?:image index|manifest list)",
        PullClass(
            "platform", "the image is not there for the node's platform", "Build and push it for that platform as well"
        ),
    ),
    (
        r"manifest unknown|not found|name unknown|\b404\b",
        PullClass(
            "not_found",
            "the registry does not have this image",
            "Push it, or correct the image's name; a digest must be the one that the registry serves",
        ),
    ),
    (
        r"no space left on device",
        PullClass("disk", "the node's disk is full", "Free space on the node"),
    ),
    (
        r"no such host|name resolution|server misbehaving",
        PullClass("name", "the node cannot resolve the registry's name", "Check the node's resolver", heals=True),
    ),
    (
        r"connection refused|no route to host|network is unreachable",
        PullClass(
            "refused",
            "the node does not reach the registry",
            "Check that the registry is up, and the way from the node to it (route, firewall)",
            heals=True,
        ),
    ),
    (
        r"i/o timeout|deadline exceeded|Client\.Timeout|timed out",
        PullClass(
            "timeout", "the registry does not answer the node in time", "Check the way from the node to it", heals=True
        ),
    ),
)
_OTHER = PullClass("other", "the image cannot be pulled", "See what the node's runtime says", heals=True)
_PREFIX = re.compile(r'^Back-off pulling image "[^"]*": (?:\w+: )?')


def first_words(message: str) -> str:
    """A kubelet's message without the later 'Back-off' around the first one (kubelet 1.31 and newer keep it inside)."""
    words = _PREFIX.sub("", message, count=1)
    return "" if words.startswith("Back-off pulling image") else words


def classify(message: str) -> PullClass:
    """The class of a failed pull."""
    for pattern, found in _CLASSES:
        if re.search(pattern, message, re.IGNORECASE):
            return found
    return _OTHER
