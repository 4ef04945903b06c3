# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What an engine said, prepared for people and for pattern matching. Pure."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.reference import InvalidReference, Reference

_MOST = 500  # characters in a message
_GONE = "..."  # in the place of a name
_WRAPPING = re.compile(
    r"(?:(?:Error|pulling image|pull image err|RegistryUnavailable|unable to pull image(?: or OCI artifact)?|failed to do request"
    r'|failed to pull and unpack image "[^"]*"|failed to resolve (?:image|reference "[^"]*")|initializing source \S+?(?=: )): )*'
)
_LOG_LINE = re.compile(r'^time="[^"]*" level=(\w+) msg="?(.*?)"?$')

_PATH = r"(?:/[\w.-]+)+"
_SUFFIX = r"(?::\w[\w.-]*)?(?:@\w+:[0-9a-f]+)?"
_SERVER = r"(?<![\w./-])(?:\[[0-9a-fA-F:.]+\]|localhost|[\w-]+(?:\.[\w-]+)+)"
# What engines name on the way to a cause. An image's path alone cannot be told from words ("i/o timeout", "net/http: "), hence
# only with a server before it, or a tag or digest behind it.
_NAMED = tuple(
    re.compile(expression)
    for expression in (
        r"\b\w+://[^\s\"'\\]+",
        r"\\?\"[^\"\s\\]*\\?\"",
        _SERVER + r"(?::\d+)?" + _PATH + _SUFFIX,
        r"(?<![\w./-])[\w.-]+(?::\d+)?" + _PATH + r"(?::\w[\w.-]*|@\w+:[0-9a-f]+)",
        _SERVER + r":\d{1,5}\b",
        r"(?<![\w.])/[\w./@+-]+",
        r"\[(?:manifests|blobs) \S+\]",
        r"(?<=\breading manifest )\S+",
        r"(?<=\blookup )[^\s:]+",
        r"(?<=\baccess denied for )[^\s,]+",
        r"(?<=\brepository )\S+(?= not found)",
    )
)


def core_of(said: str) -> str:
    """The innermost of an engine's words, on one line, without what it wraps around them, naming the image again and again.

    What is long is cut in its middle: Go's errors begin with what was tried and end with the cause.
    """
    core = _unwrapped(said)
    return core if len(core) <= _MOST else "%s ... %s" % (core[: _MOST // 2], core[-_MOST // 2 :])


def cause_in(said: str, image: str = "") -> str:
    """The words that tell the cause: the core without the names in it, which may be any words ("denied/not-found:401").

    :param image: the image's name, whose forms are taken out wherever they stand.
    """
    text = _unwrapped(said)
    for form in _forms(image):
        text = re.sub(r"(?<![\w./-])%s%s(?![\w/])" % (re.escape(form), _SUFFIX), _GONE, text)
    for named in _NAMED:
        text = named.sub(_GONE, text)
    return text


def _unwrapped(said: str) -> str:
    lines = [line.strip() for line in said.splitlines()]
    last = [line for line in lines if line.startswith("Error: ") or _level(line) == "fatal"]
    core = " ".join((last[-1] if last else said).split())
    logged = _LOG_LINE.match(core)
    if logged:
        core = logged.group(2).replace('\\"', '"')
    core = core[len(t.cast("re.Match[str]", _WRAPPING.match(core)).group()) :]
    return core.partition("; artifact err: ")[0].rstrip(".")


def _level(line: str) -> str:
    logged = _LOG_LINE.match(line)
    return logged.group(1) if logged else ""


def _forms(image: str) -> t.List[str]:
    """How engines name an image and its registry, the longer forms first; none that could be a word by itself."""
    try:
        reference = Reference.parse(image)
    except InvalidReference:
        return []
    endpoint = reference.endpoint
    forms = {reference.name, reference.repository, reference.familiar.partition("@")[0], str(endpoint), endpoint.host}
    return sorted((form for form in forms if re.search(r"[/.:]", form)), key=len, reverse=True)
