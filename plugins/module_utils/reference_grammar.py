# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The grammar of image references, one check for each part.

It is the grammar of the distribution project's C(reference) package, which Docker, containerd, CRI-O and Podman share,
with what a host must be to name a server at all: a port lies in 1..65535 and is written without leading zeros, and what
stands in brackets is an IPv6 address. A check returns nothing and raises C(Flaw), which says which character of which
part is wrong and what to write.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.delivery_error import DeliveryError

# The path of a name, without the registry's host: so distribution counts since reference v0.5. Docker 20.10 counts both.
REPOSITORY_LENGTH = 255
TAG_LENGTH = 128
DIGEST_HEX_LENGTH = {"sha256": 64, "sha384": 96, "sha512": 128}

_PATH_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")
_DOMAIN_COMPONENT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_IMAGE_ID = re.compile(r"[a-f0-9]{64}")
_PASSWORD = re.compile(r"\A([A-Za-z][A-Za-z0-9+.-]*://|[^:@]*:).*@", re.DOTALL)
_DIGEST_LIKE = re.compile(r"@(?:(?:sha|md|blake)[0-9a-z]*:[^@/]*|[A-Za-z][A-Za-z0-9+._-]*:[0-9A-Fa-f]{32,})\Z")


class InvalidReference(DeliveryError):
    """No reference, endpoint or digest; the message names the text, the part, the character and the way out."""


class Flaw(ValueError):
    """What is wrong with one part, and what to write instead."""


def shown(text: t.Any) -> str:
    """A text as an error may show it: quoted, cut at 200 characters, without what may be a password before an '@'."""
    if not isinstance(text, str):
        return "%r (%s)" % (text, type(text).__name__)
    digest = _DIGEST_LIKE.search(text)
    head, tail = (text[: digest.start()], digest.group()) if digest else (text, "")
    result = _PASSWORD.sub(r"\1***@", head) + tail
    return repr(result if len(result) <= 200 else result[:200] + "...")


def check_text(text: t.Any) -> None:
    """Refuse what is no text, what is empty, and blanks, which a template easily leaves behind."""
    if not isinstance(text, str):
        raise Flaw("it is no text; write it in quotes")
    if not text:
        raise Flaw("it is empty")
    for position, character in enumerate(text):
        if character.isspace() or not character.isprintable():
            raise Flaw("it has the character %r at position %d; remove it" % (character, position + 1))


def check_host(host: str) -> None:
    """A host without its port and without brackets: a name, an IPv4 address or, if it has a colon, an IPv6 address."""
    if ":" in host:
        try:
            address = ipaddress.IPv6Address(host.partition("%")[0])
        except ValueError:
            raise Flaw("%r is no IPv6 address" % host) from None
        if "." in host or "%" in host:
            plain = ":".join(re.findall("....", "%032x" % int(address)))
            raise Flaw("the IPv6 address %r must be written without '.' and '%%', as %s" % (host, plain))
        return
    if not host:
        raise Flaw("the registry's host is missing; write it as in 'registry.example:5000'")
    for component in host.split("."):
        if _DOMAIN_COMPONENT.fullmatch(component):
            continue
        if not component:
            raise Flaw("the registry's host %r has a dot too many; remove it" % host)
        character = _stranger(component, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")
        if character:
            raise Flaw(
                "the registry's host %r has the character %r; letters, digits, '-' and '.' are allowed"
                % (host, character)
            )
        raise Flaw("in the registry's host %r the part %r begins or ends with '-'; remove it" % (host, component))


def check_port(port: str) -> None:
    """The digits of a port."""
    if not port:
        raise Flaw("the port after ':' is missing; write it as in 'registry.example:5000', or leave the ':' away")
    if not port.isascii() or not port.isdigit():
        raise Flaw("the port %r is no number; write it as in 'registry.example:5000'" % port)
    if not _PORT.fullmatch(port) or int(port) > 65535:
        raise Flaw("the port %r is not one of 1 to 65535, written without leading zeros" % port)


def check_repository(repository: str) -> None:
    """The path of an image in its registry, as in 'shop/web'."""
    if not repository:
        raise Flaw("the repository is missing; write it as in 'shop/web'")
    for component in repository.split("/"):
        if _PATH_COMPONENT.fullmatch(component):
            continue
        if not component:
            raise Flaw("the repository %r begins or ends with '/' or has two of them in a row; remove one" % repository)
        if component.lower() != component and _PATH_COMPONENT.fullmatch(component.lower()):
            raise Flaw("the repository %r has upper-case letters; write %r" % (repository, repository.lower()))
        character = _stranger(component, "abcdefghijklmnopqrstuvwxyz0123456789._-")
        if character:
            allowed = "lower-case letters, digits and '.', '_', '-' between them are allowed"
            raise Flaw("the repository %r has the character %r; %s" % (repository, character, allowed))
        raise Flaw(
            "in the repository %r the part %r must begin and end with a letter or a digit, and between two of them "
            "there may be one '.', one or two '_', or any number of '-'" % (repository, component)
        )
    if len(repository) > REPOSITORY_LENGTH:
        raise Flaw("the repository has %d characters; %d are the most" % (len(repository), REPOSITORY_LENGTH))


def check_tag(tag: str) -> None:
    """A tag: up to 128 characters."""
    if _TAG.fullmatch(tag):
        return
    if not tag:
        raise Flaw("the tag after ':' is missing; write it as in 'web:1.4', or leave the ':' away")
    character = _stranger(tag, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")
    if character:
        raise Flaw("the tag %r has the character %r; letters, digits, '_', '.' and '-' are allowed" % (tag, character))
    if len(tag) > TAG_LENGTH:
        raise Flaw("the tag has %d characters; %d are the most" % (len(tag), TAG_LENGTH))
    raise Flaw("the tag %r begins with %r; begin it with a letter, a digit or '_'" % (tag, tag[0]))


def check_digest(algorithm: str, encoded: str) -> None:
    """A digest's algorithm and its hexadecimal digits.

    The algorithms are those of the go-digest library, by which distribution's C(reference) package checks them. The OCI image
    specification (descriptors) registers sha256 and sha512 of them, and wants others let pass.
    """
    length = DIGEST_HEX_LENGTH.get(algorithm)
    if length is None:
        raise Flaw("the digest's algorithm %r is not known; sha256, sha384 and sha512 are" % algorithm)
    character = _stranger(encoded, "0123456789abcdef")
    if character:
        raise Flaw("the digest has the character %r; its hexadecimal digits are 0-9 and a-f" % character)
    if len(encoded) != length:
        raise Flaw("the digest has %d hexadecimal digits; %s has %d" % (len(encoded), algorithm, length))


def check_no_image_id(name: str) -> None:
    """A name that is 64 hexadecimal digits and nothing else: every engine takes it for an image ID."""
    if _IMAGE_ID.fullmatch(name):
        raise Flaw(
            "64 hexadecimal digits are an image ID, not a name; write the repository before it, as in 'web@sha256:...'"
        )


def looks_like_registry(component: str) -> bool:
    """Whether the first component of a reference is a registry, not the first part of a path (as Docker decides it)."""
    return (
        "." in component
        or ":" in component
        or component.startswith("[")
        or component == "localhost"
        or component.lower() != component
    )


def _stranger(text: str, allowed: str) -> t.Optional[str]:
    return next((character for character in text if character not in allowed), None)
