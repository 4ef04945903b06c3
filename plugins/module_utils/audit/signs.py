# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What a setting cannot be without in which one of the slower detectors sees a secret (detect-secrets 1.5).

Their own expressions try a dozen words at each character. Settings that have the word they are sought by, such as "key", are in
data by the ten thousand.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.audit.secret_values import PLACEHOLDER

_WORDS = (
    *(word + b"_?key" for word in (b"api", b"auth", b"service", b"account", b"db", b"database")),
    *(word + b"_?key" for word in (b"priv", b"private", b"client")),
    *(word + b"_?pass" for word in (b"db", b"database", b"key")),
    *(b"password", b"passwd", b"pwd", b"secret", b"contrase"),
)
# what is no ASCII may be a letter or a blank; as long as what is shown of settings, for a crafted file would take for ever
_LETTERS, _BLANKS = rb"[\w\x80-\xff]{0,600}", rb"[\s\x1c-\x1f\x80-\xff]{0,600}"
# what is no secret whatever it is called, to the end of its line or, in quotes, of the setting: less than four characters, or
# a placeholder. Nothing that is set is within it.
_NONE = rb"(?:[^\"'`\n:=]{0,3}|[^\"'`\n:=]{0,100}?(?:%s)[^\"'`\n:=]{0,100})" % PLACEHOLDER.pattern.encode()
_HARMLESS = rb"(?:\"%s\"|'%s')[ \t]{0,8}(?:[,}\])]|\r?\n|\Z)|%s(?:\n|\Z)" % (_NONE, _NONE, _NONE)
_VALUE = rb"[\]'\"]{0,2}(?::|" + _BLANKS + rb"(?:=|!=))=*" + _BLANKS + rb"(?!" + _HARMLESS + rb")['\"`]?[\w\x80-\xff]"
_RUN = 44  # characters of the shortest value of those below that have to be long
_SIGNS = {
    "AWSKeyDetector": re.compile(rb"a(?:ws|3t|bia|cca|kia|sia)"),
    "IbmCloudIamDetector": re.compile(rb"[a-z0-9_-]{%d}" % _RUN),
    "IbmCosHmacDetector": re.compile(rb"[a-z0-9_-]{%d}" % _RUN),
    # each by itself, so that the search knows what it may begin with; and a value may be in front, or in quotes behind anything
    "KeywordDetector": re.compile(b"|".join(word + _LETTERS + _VALUE for word in _WORDS) + rb"|[!=]{2}|['\"`];"),
    "SoftlayerDetector": re.compile(rb"[a-z0-9_-]{%d}" % _RUN),
}


# for all settings at once, what the slowest of them has in it, in searches that begin with a byte of their own
_ANYWHERE = {
    "KeywordDetector": (
        *(re.compile(word + _LETTERS + _VALUE) for word in (b"key", b"pass", b"pwd", b"secret", b"contrase")),
        re.compile(rb"[!=]{2}"),
        re.compile(rb"['\"`];"),
    )
}


_LONGEST = 512  # bytes of what is shown of a line that is not shown whole
_AHEAD = 8192  # bytes of such a line that are looked through at once, for what is shown of it overlaps


class Signs:
    """Those in some settings.

    :param settings: in lower case.
    """

    def __init__(self, settings: bytes) -> None:
        self._settings = settings
        # by detector up to where one was looked for, and where the last begins that was found; there, if none was
        self._seen: t.Dict[str, t.Tuple[int, int]] = {}
        self._possible: t.Dict[t.Tuple[str, ...], t.Tuple[str, ...]] = {}
        self._is_there: t.Dict[t.Pattern[bytes], bool] = {}

    def possible(self, detectors: t.Tuple[str, ...]) -> t.Tuple[str, ...]:
        """Those of some detectors that may see a secret anywhere in the settings."""
        if detectors not in self._possible:
            self._possible[detectors] = tuple(filter(self._may_see, detectors))
        return self._possible[detectors]

    def _may_see(self, detector: str) -> bool:
        if detector not in _SIGNS:
            return True
        for sign in _ANYWHERE.get(detector, (_SIGNS[detector],)):
            if sign not in self._is_there:
                self._is_there[sign] = bool(sign.search(self._settings))
            if self._is_there[sign]:
                return True
        return False

    def allow(self, detector: str, first: int, last: int) -> bool:
        """Whether a detector may see a secret in a part of the settings. Parts are asked about in their order, may overlap, and
        end with a line or are shorter than C(_LONGEST).
        """
        sign = _SIGNS.get(detector)
        if sign is None:
            return True
        end, found = self._seen.get(detector, (0, 0))
        if not (first <= found and (found < end or last <= end)):
            is_whole = self._settings[last : last + 1] in (b"", b"\n")
            begin = end if found == end > first else first
            end = last if is_whole else last + _AHEAD
            hit = sign.search(self._settings, begin, end if is_whole else end + _LONGEST)
            found = hit.start() if hit and hit.start() < end else end
            self._seen[detector] = end, found
        return found < last
