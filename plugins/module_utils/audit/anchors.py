# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What the secrets that are looked for in every file cannot be without, as a few searches in bytes.

A search is a pass over everything, and begins with a byte of its own, which the re module looks for at 2 to 3 GB/s: what the
anchors of one search have in common, wherever in them it is. Behind that byte each begins with one that tells it from the others
at once, and looks back from there; to look back first, or an alternation in front, would be 50 times slower. None repeats without
bound: a crafted file would take for ever.
"""

from __future__ import annotations

import dataclasses
import typing as t


@dataclasses.dataclass(frozen=True)
class Anchor:
    """A search behind the first byte.

    :param detectors: those that a hit is shown to, by name; none for a private key (see private_keys.py).
    :param before: how many bytes of the hit are in front of that byte.
    """

    rest: bytes
    detectors: t.Tuple[str, ...] = ()
    before: int = 0


# a key stands by itself: tables of syllables and encoded data have its letters somewhere
_AWS_KEY = rb"(?<![A-Za-z0-9+/]A...)[0-9A-Z]{16}(?![A-Za-z0-9+/])"

PASSES: t.Tuple[t.Tuple[bytes, t.Tuple[Anchor, ...]], ...] = (
    (
        b"A",
        (
            *(
                Anchor(start + _AWS_KEY, ("AWSKeyDetector",))
                for start in (rb"3T[A-Z0-9]", b"BIA", b"CCA", b"KIA", b"SIA")
            ),
            Anchor(rb"ccountKey=[a-zA-Z0-9+/=]{88}", ("AzureStorageKeyDetector",)),
            Anchor(rb"Iza[0-9A-Za-z_-]{35}(?![0-9A-Za-z_-])", ("GoogleApiKey",)),
            Anchor(rb"TE KEY(?<=PRIVATE KEY)", before=4),
        ),
    ),
    (
        b"g",
        (
            Anchor(rb"h[oprsu]_[A-Za-z0-9_]{36}", ("GitHubTokenDetector",)),
            Anchor(rb"ithub_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}", ("GitHubFineGrainedToken",)),
            Anchor(rb"l(?:pat|dt|ft|soat|rt|cbt|imt|ptt|agent|oas)-[A-Za-z0-9_\-]{20}", ("GitLabTokenDetector",)),
        ),
    ),
    (
        b"G",
        (
            Anchor(rb"R1348941[A-Za-z0-9_\-]{20}", ("GitLabTokenDetector",)),
            Anchor(rb"\.(?<=SG\.)[a-zA-Z0-9_-]{22}\.", ("SendGridDetector",)),
        ),
    ),
    (
        b"-",
        (
            Anchor(rb"\d(?<=xox[abposr]-.)", ("SlackDetector",)),
            Anchor(rb"AgE(?<=pypi-AgE)", ("PypiTokenDetector",)),
            Anchor(rb"User-Key-File-(?<=PuTTY-User-Key-File-)", before=5),
            Anchor(rb"(?<=sq0csp-)", ("SquareOAuthDetector",)),
        ),
    ),
    (
        b"k",
        (
            Anchor(rb"_live_[0-9a-zA-Z]{24}", ("StripeDetector",)),
            Anchor(rb"s\.slack\.com/services/T(?<=hooks\.slack\.com/services/T)", ("SlackDetector",), before=4),
            Anchor(rb"en=(?<=:_authToken=)", ("NpmDetector",), before=8),
        ),
    ),
    (
        # a web token begins where no other may go on, so that no byte is gone over for more than one
        b"J",
        (
            Anchor(rb"(?<=eyJ)(?<![A-Za-z0-9_-]eyJ)[A-Za-z0-9_-]{10,2000}\.[A-Za-z0-9_=-]{10}", ("JwtTokenDetector",)),
            Anchor(rb"(?<=T3BlbkFJ)[A-Za-z0-9]{20}", ("OpenAIDetector",)),
        ),
    ),
)
DETECTORS = frozenset(name for _first, anchors in PASSES for anchor in anchors for name in anchor.detectors)


def pattern(first: bytes, anchors: t.Iterable[Anchor]) -> bytes:
    """One search for all of them. The number of a hit's last group is its anchor's, from 1: an empty group at the end of each,
    since one around it would hide its first byte.
    """
    return first + b"(?:" + b"|".join(anchor.rest + b"()" for anchor in anchors) + b")"
