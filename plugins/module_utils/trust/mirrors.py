# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Registries that others are mirrors of, and the one text that an engine reads for such an upstream. Pure.

Several registries have a share in that text: the upstream itself, if it is one of those that a run names, and each of its
mirrors. A later run may be about some of them alone, and the shares of the others stay.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Endpoint
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings

DOCKER_HUB = Endpoint("docker.io")
# Where a share stands in the text, in this order.
HEAD = "head"  # what the upstream is, as it says itself
OPEN = "open"  # what it is where it is not named itself, and is asked when no mirror has an image
CLOSED = "closed"  # the same where it is never asked
MIRROR = "mirror"
TAIL = "tail"


@dataclasses.dataclass(frozen=True)
class Upstream:
    """A registry with mirrors.

    :param itself: it, where the run names it.
    :param mirrors: in the order in which they are asked.
    :param is_asked: whether the upstream is asked when no mirror has an image.
    """

    endpoint: Endpoint
    itself: t.Optional[RegistrySettings]
    mirrors: t.Tuple[RegistrySettings, ...]
    is_asked: bool

    @property
    def settings(self) -> RegistrySettings:
        return self.itself or RegistrySettings(self.endpoint)


class Share(t.NamedTuple):
    """What one registry has in the text; a C(CLOSED) one has none of its own.

    :param endpoint: the registry's, or for C(OPEN) and C(CLOSED) an empty one, as it is there for the mirrors.
    """

    endpoint: str
    place: str
    text: str


def upstreams(registries: t.Sequence[RegistrySettings], fallback: bool) -> t.List[Upstream]:
    """The registries that these are mirrors of.

    :param fallback: whether an upstream that is not one of these is asked when no mirror has an image.
    :raises DeliveryError: a registry is a mirror of itself.
    """
    named = {registry.endpoint: registry for registry in registries}
    found: t.Dict[Endpoint, t.List[RegistrySettings]] = {}
    for registry in registries:
        for endpoint in dict.fromkeys(registry.mirror_of):
            if endpoint == registry.endpoint:
                raise DeliveryError(
                    "%s: 'mirror_of' names the registry itself. Name the registry whose images it has, or leave it out."
                    % endpoint
                )
            found.setdefault(endpoint, []).append(registry)
    return [
        Upstream(endpoint, named.get(endpoint), tuple(mirrors), fallback or endpoint in named)
        for endpoint, mirrors in found.items()
    ]


def united(wanted: t.Sequence[Share], left: t.Sequence[Share]) -> t.Tuple[Share, ...]:
    """The shares of this run and those that others still have, in the order of the text; none where nobody needs a text.

    :param left: of registries that this run is not about.
    """
    both = [*wanted, *left]
    mirrors = list({share.endpoint: share for share in reversed(both) if share.place == MIRROR}.values())[::-1]
    heads = [share for share in both if share.place == HEAD][:1]
    tails = [share for share in both if share.place == TAIL][:1]
    # it stays for the day when the upstream is not named any more
    others = [share for share in both if share.place in (OPEN, CLOSED)][:1] if mirrors else []
    return (*heads, *others, *mirrors, *tails)


def begins(shares: t.Sequence[Share]) -> t.Optional[Share]:
    """What the text begins with: an upstream's own share before one that stands for it."""
    found = [share for share in shares if share.place in (HEAD, OPEN, CLOSED)]
    return found[0] if found else None


def sharers(shares: t.Sequence[Share]) -> t.Tuple[str, ...]:
    """The endpoints of the registries that have a share."""
    return tuple(dict.fromkeys(share.endpoint for share in shares if share.endpoint))
