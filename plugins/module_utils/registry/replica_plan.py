# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Which of two registries has the newer image under a tag. Pure."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest

PEER, OWN, NEITHER = "peer", "own", "neither"

# seconds by which two ages have to differ to tell which is greater: they are asked for one after the other, and are whole seconds
_SAME_AGE = 3.0


@dataclasses.dataclass(frozen=True)
class TagState:
    """A tag in one registry.

    :param digest: what it leads to.
    :param past: whether it once led there to what it leads to in the other registry; None where that is not told.
    :param age: the seconds since it was last written there, by that registry's own clock; None where that is not told.
    """

    digest: ManifestDigest
    past: t.Optional[bool] = None
    age: t.Optional[float] = None


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Which of the two counts, and what it was decided by.

    :param newer: NEITHER where too little is known, and both have to stay.
    :param conflict: whether neither followed the other, so that something that was pushed is replaced, or both stay.
    """

    newer: str
    by: str
    conflict: bool = False


def verdict(own: TagState, peer: TagState, peer_comes_first: bool) -> Verdict:
    """Decide between two digests of one tag, so that both registries decide alike.

    What a tag led to before is older than what it leads to now: no clock is needed for that. Only where each has what the other
    has among its past, as after a return to an older image, or neither has, the tag that was written last counts. Ages are
    compared and not moments, since the clocks of two hosts may differ. Where one of the two tells neither, nothing is decided:
    whatever else counted, it might put an old image over the push that replaced it.

    :param peer_comes_first: what counts of two that were written at the same time.
    """
    if own.past is not None and peer.past is not None and own.past != peer.past:
        return Verdict(OWN if own.past else PEER, "history")
    conflict = not (own.past and peer.past)
    if own.age is None or peer.age is None or min(own.age, peer.age) < 0:
        return Verdict(NEITHER, "nothing", conflict=True)
    if abs(own.age - peer.age) > _SAME_AGE:
        return Verdict(OWN if own.age < peer.age else PEER, "age", conflict)
    return Verdict(PEER if peer_comes_first else OWN, "order", conflict)
