# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Secrets in a file that is read in pieces, at the speed of a search in bytes."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.audit import code_secrets, private_keys, secret_files
from ansible_collections.longshore.delivery.plugins.module_utils.audit.anchors import PASSES, Anchor, pattern
from ansible_collections.longshore.delivery.plugins.module_utils.audit.detectors import (
    SETTINGS_ANCHORS,
    Detectors,
)
from ansible_collections.longshore.delivery.plugins.module_utils.audit.secret_values import PLACEHOLDER
from ansible_collections.longshore.delivery.plugins.module_utils.audit.signs import Signs
from ansible_collections.longshore.delivery.plugins.module_utils.audit.wide_text import narrow

_SEAM = 1024  # bytes on each side of the place where two pieces meet that are searched again, together
_LINE_BEFORE = 256  # of a hit, shown to a detector
_LINE_AFTER = 4096
_LONGEST_SECRET = 2048  # bytes; a hit with so much shown behind it need not be shown again
_ENOUGH = 100  # hits of a search in one piece, once a secret was among them
_MANY = 1000  # settings of a kind in a file, from which on it is worth a look whether any of them can be a secret
_SHORT = 600  # bytes of a line of settings that is shown as a whole; a longer one may be a whole file
_FIRST_LINE = 64  # bytes of a program that tell what runs it
_VALUE = 200  # bytes behind a hit in such a one
# a value in quotes, with what may end its setting: behind that is another setting, which has a hit of its own
_QUOTED = re.compile(rb"""\s{0,8}(["'])[^"'\n]{0,200}\1[^"'\n]?""")
_WORD = 48  # bytes before a hit in which the setting's name may begin
_NAME_BEGINS = re.compile(rb"""[^\s,;&{}()\["']*\Z""")


@dataclasses.dataclass(frozen=True)
class Sighting:
    """A secret's place, never its value.

    :param rule: private_key, private_key_in_program, secret, credential_file, env_file or git_directory.
    :param what: what it is, as in 'AWS Access Key'.
    :param place: where in the file, as in 'line 3'; empty where the file itself is it.
    :param if_copied: whether it is one only if the file came with COPY or ADD: what is installed has such by way of example.
    """

    path: str
    rule: str
    what: str
    place: str = ""
    if_copied: bool = False


@dataclasses.dataclass
class _Judged:
    """What came of the hits of one kind of anchor in some bytes.

    :param until: up to which byte hits are judged: one long line of what is nearly a secret would be looked at as often as it
        has hits.
    """

    seen: t.Set[t.Tuple[str, str]] = dataclasses.field(default_factory=set)
    hits: int = 0
    until: int = 0


class SecretScan:
    """Looks through files for secrets; one for any number of them."""

    def __init__(self, detectors: Detectors) -> None:
        self._detectors = detectors
        self._searches = [(re.compile(pattern(first, anchors)), anchors) for first, anchors in PASSES]
        self._settings = [(re.compile(expression), names) for expression, names in SETTINGS_ANCHORS]

    def file(self, path: str, size: int, pieces: t.Iterable[bytes]) -> t.List[Sighting]:
        """Everything in a file; each kind of secret once, at its first place.

        :param pieces: the file's bytes in order.
        """
        found: t.Dict[t.Tuple[str, str], str] = {}
        settings = secret_files.holds_settings(path, size)
        code: t.Optional[str] = None
        is_text = False
        login: t.Optional[str] = None
        kept: t.List[bytes] = []
        first = b""
        before = b""
        position = 0
        for piece in narrow(pieces):
            if len(first) < private_keys.FIRST:
                first += piece[: private_keys.FIRST - len(first)]
            if position == 0:
                code = secret_files.code_kind(path, size, piece[:_FIRST_LINE])
                is_text = b"\0" not in piece[:_SEAM]
            numbered = piece if position == 0 else b""
            if before:
                seam = before + piece[:_SEAM]
                self._search(seam, position - len(before), found, b"")
                login = login or (_login(seam, position - len(before), b"") if is_text else None)
            self._search(piece, position, found, numbered)
            login = login or (_login(piece, position, numbered) if is_text else None)
            position += len(piece)
            before = piece[-_SEAM:] if len(piece) >= _SEAM else (before + piece)[-_SEAM:]
            if settings or code:
                kept.append(piece)
        if settings:
            self._lines(b"".join(kept), found, secret_files.is_of_system(path))
        if code:
            _literals(code, b"".join(kept), found)
        in_program = private_keys.is_program(first)
        sightings = [
            Sighting(path, "private_key_in_program" if in_program and rule == "private_key" else rule, what, place)
            for (rule, what), place in found.items()
        ]
        if login and ("secret", code_secrets.LOGIN_KIND) not in found and not secret_files.is_of_package(path):
            sightings.append(Sighting(path, "secret", code_secrets.LOGIN_KIND, login, if_copied=code is None))
        return sightings

    def _search(self, data: bytes, start: int, found: t.Dict[t.Tuple[str, str], str], numbered: bytes) -> None:
        """Note what is in C(data), which begins at byte C(start). Lines can be counted in C(numbered) if it is the beginning."""
        for search, anchors in self._searches:
            by_kind: t.Dict[t.Tuple[str, ...], _Judged] = {}
            for hit in search.finditer(data):
                anchor = anchors[t.cast("int", hit.lastindex) - 1]
                judged = by_kind.setdefault(anchor.detectors, _Judged())
                judged.hits += 1
                is_enough = judged.seen and (len(judged.seen) >= len(anchor.detectors) or judged.hits > _ENOUGH)
                if is_enough or hit.end() <= judged.until:
                    continue
                at = hit.start() - anchor.before
                sighted, judged.until = self._judge(anchor, data, at, hit.end())
                if sighted is not None:
                    judged.seen.add(sighted)
                    if sighted not in found:
                        found[sighted] = _place(at, start, numbered)

    def _judge(self, anchor: Anchor, data: bytes, at: int, end: int) -> t.Tuple[t.Optional[t.Tuple[str, str]], int]:
        """The rule that a hit breaks, and the kind of secret, None where it is none; and up to which byte hits are judged."""
        if not anchor.detectors:
            what = private_keys.kind(data[max(0, at - private_keys.BEFORE) : at + private_keys.AFTER])
            return None if what is None else ("private_key", what), end
        text = data[at:end].decode("latin-1")
        if PLACEHOLDER.search(text):
            return None, end
        first, last = _line(data, at, _LINE_BEFORE, _LINE_AFTER)
        what = self._detectors.seen(anchor.detectors, data[first:last].decode("latin-1"), text)
        return (None, last - _LONGEST_SECRET) if what is None else (("secret", what), end)

    def _lines(self, data: bytes, found: t.Dict[t.Tuple[str, str], str], of_system: bool) -> None:
        """Note what the lines of settings hold."""
        lower = data.lower()
        asked: t.Dict[t.Tuple[int, int], t.Set[str]] = {}
        signs = Signs(lower)
        for search, names in self._settings:
            hits = list(search.finditer(lower))
            possible = signs.possible(names) if len(hits) > _MANY else names
            for hit in hits if possible else ():
                asked.setdefault(_setting(data, hit), set()).update(possible)
        for (first, last), led_to in sorted(asked.items()):
            detectors = [name for name in sorted(led_to) if signs.allow(name, first, last)]
            if all(("secret", self._detectors.kind(name)) in found for name in detectors):
                continue
            what = self._detectors.seen(detectors, data[first:last].decode("utf-8", "replace"), "", of_system)
            if what is not None and ("secret", what) not in found:
                found["secret", what] = "line %d" % (data.count(b"\n", 0, first) + 1)


def _place(at: int, start: int, numbered: bytes) -> str:
    """Where a byte of some data is, which begin at byte C(start)."""
    if numbered and b"\0" not in numbered:
        return "line %d" % (numbered.count(b"\n", 0, at) + 1)
    return "byte %d" % (start + at)


def _login(data: bytes, start: int, numbered: bytes) -> t.Optional[str]:
    """The place of the first address with a password; None where there is none."""
    at = code_secrets.login_in(data)
    return None if at is None else _place(at, start, numbered)


def _literals(kind: str, data: bytes, found: t.Dict[t.Tuple[str, str], str]) -> None:
    """Note what is written out in a program."""
    at = code_secrets.first_in(kind, data)
    if at is not None:
        found.setdefault(("secret", code_secrets.KIND), _place(at, 0, data))


def _line(data: bytes, at: int, before: int, after: int) -> t.Tuple[int, int]:
    """Where the line around a byte begins and ends, as far as it is no further away than this many bytes."""
    first = max(data.rfind(b"\n", max(0, at - before), at) + 1, at - before, 0)
    last = data.find(b"\n", at, at + after)
    return first, last if last >= 0 else min(len(data), at + after)


def _setting(data: bytes, hit: t.Match[bytes]) -> t.Tuple[int, int]:
    """Where what is shown of settings for a hit begins and ends: its line, if that is short. Of a long one it begins with the
    setting's own name, as one that is looked at for keywords is looked at for the first of them.
    """
    first, last = _line(data, hit.start(), _SHORT, _SHORT)
    if last - first <= _SHORT:
        return first, last
    before = data[max(first, hit.start() - _WORD) : hit.start()]
    begins = t.cast("t.Match[bytes]", _NAME_BEGINS.search(before)).start()
    if begins and before[begins - 1 : begins] in (b'"', b"'"):
        begins -= 1
    quoted = _QUOTED.match(data, hit.end(), last)
    return hit.start() - len(before) + begins, min(last, quoted.end() if quoted else hit.end() + _VALUE)
