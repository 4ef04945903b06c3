# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Secrets in the text of programs: values written out, where a setting's name says that they are secret.

Code is full of such names with values that are none: messages, names of fields, calls. So that only a literal counts that has
digits among letters, by the name of a password or long enough for a key; in a shell's file also what is exported, a word or not.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.audit.secret_values import (
    PLACEHOLDER,
    is_no_value,
    names_secret,
)

CODE = "code"
SHELL = "shell"
KIND = "Secret Keyword"  # as detect-secrets calls it
LOGIN_KIND = "Basic Auth Credentials"

_NAME_BEFORE = 48  # bytes in front of a hit in which the name may begin
_BEFORE = re.compile(rb"(?:\bexport\s+|\bENV\s+)?[\w.-]*\Z")
_NAME = rb"(?P<rest>[\w-]{0,40})"
_VALUE = rb"[^\s\"'`<>]{5,200}"
# 'name': "value", name = "value", name: Type = "value", define('name', 'value'), name => 'value', name "value";
# <name>value</name>; name="name" value="value"
_LITERAL = (
    _NAME
    + rb"(?:[\"'\]]{0,3}(?::\s?[\w<>|?]{1,20})?\s{0,8}(?P<sign>=>|:=|={1,3}|:|,|\s)\s{0,8}[brfu@]?(?P<quote>[\"'`])(?P<quoted>"
    + _VALUE
    + rb")(?P=quote)|>(?P<element>"
    + _VALUE
    + rb")</|[\"']\s{1,8}value=[\"'](?P<attribute>"
    + _VALUE
    + rb")[\"'])"
)
_ASSIGNMENT = _NAME + rb"=(?P<quote>[\"']?)(?P<quoted>[^\s\"'`;&|<>()]{5,200})(?P=quote)"
_WORDS = (b"pass", b"pwd", b"secret", b"token", b"key", b"credential")
_PATTERNS = {
    kind: tuple(re.compile(word + pattern) for word in _WORDS)
    for kind, pattern in ((CODE, _LITERAL), (SHELL, _ASSIGNMENT))
}

_PASSWORD = re.compile(r"pass(?:wo?r?d|phrase)?|pwd", re.I)
_KEY_LENGTH = 12  # characters of what is called a key, a token or a secret
_DIGITS_AND_LETTERS = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])")
# a selector, a template, a path, a format; the name of an algorithm; an address; one call or variable behind another
_NO_LITERAL = re.compile(
    r"\A[#.$%{<&@/\\\[(*+:]|\$\{|\{\{|#\{|%[(sd]|<%|://|\A(?:md|sha|argon|base|utf|oauth|ipv|hmac-?sha)[-_]?\d+\Z"
    r"|[A-Za-z_]\w*(?:\(|\[|->|::)",
    re.I,
)

_LOGIN = re.compile(rb"://[^\s/:@\"'`<>{}$%()\\]{1,64}:(?P<value>[^\s/@\"'`<>{}$()\\]{3,256})@[A-Za-z0-9\[]")
_LONGEST_LOGIN = 512


def first_in(kind: str, data: bytes) -> t.Optional[int]:
    """Where in a file of code or of a shell the first secret stands, in bytes; None where there is none."""
    lower = data.lower()
    places = []
    for pattern in _PATTERNS[kind]:
        for hit in pattern.finditer(lower):
            if _is_secret(kind, data, hit):
                places.append(hit.start())
                break
    return min(places, default=None)


def login_in(data: bytes) -> t.Optional[int]:
    """Where the first address with a login and its password stands, in bytes; None where there is none."""
    at = data.find(b"://")
    while at >= 0:
        found = _LOGIN.match(data, at, at + _LONGEST_LOGIN)
        if found and _is_chosen(found.group("value").decode("utf-8", "replace")):
            return at
        at = data.find(b"://", at + 3)
    return None


def _is_secret(kind: str, data: bytes, hit: t.Match[bytes]) -> bool:
    before = t.cast("t.Match[bytes]", _BEFORE.search(data, max(0, hit.start() - _NAME_BEFORE), hit.start())).group()
    start, end = next(span for span in map(hit.span, _GROUPS[kind]) if span != (-1, -1))
    value = data[start:end].decode("utf-8", "replace")
    is_exported = before.startswith((b"export", b"ENV"))
    name = (before.split()[-1:] or [b""])[0] if not before[-1:].isspace() else b""
    name += data[hit.start() : hit.end("rest")]
    called = name.decode("utf-8", "replace")
    if not names_secret(called) or PLACEHOLDER.search(value) or is_no_value(value) or _NO_LITERAL.search(value):
        return False
    is_password = bool(_PASSWORD.search(called))
    if kind == CODE and hit.group("sign") and hit.group("sign").strip() in (b"", b",") and not is_password:
        return False
    if kind == SHELL and is_password and is_exported:
        return True
    return bool(_DIGITS_AND_LETTERS.match(value)) and (is_password or len(value) >= _KEY_LENGTH)


_GROUPS = {CODE: ("quoted", "element", "attribute"), SHELL: ("quoted",)}


def _is_chosen(value: str) -> bool:
    """Whether what stands for a password in an address is one: documentation has a word there."""
    return not PLACEHOLDER.search(value) and not is_no_value(value) and bool(_DIGITS_AND_LETTERS.match(value))
