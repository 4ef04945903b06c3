# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""For whose images the engines were told of a registry: its own, or those of others that it is a mirror of. Pure.

What is there for the sake of another registry alone goes when that one is named without it. A registry that was once named for
itself stays until it is taken away by its name.
"""

from __future__ import annotations

import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.trust.entry import Entry

ToldFor = t.Mapping[str, t.Tuple[str, ...]]  # endpoints, by a registry's endpoint


def after(before: ToldFor, registries: t.Sequence[RegistrySettings], purge: bool = False) -> ToldFor:
    """What is true once the engines were told of these registries; those that are none of them and stay are among it.

    :param purge: whether none does.
    """
    found = {}
    named = {str(registry.endpoint) for registry in registries}
    for endpoint, upstreams in before.items():
        left = tuple(upstream for upstream in upstreams if upstream not in named)
        if endpoint not in named and left and not purge:
            found[endpoint] = left
    for registry in registries:
        endpoint = str(registry.endpoint)
        for_itself = not registry.mirror_of or endpoint in before.get(endpoint, ())
        found[endpoint] = (*((endpoint,) if for_itself else ()), *map(str, registry.mirror_of))
    return found


def without(before: ToldFor, endpoints: t.Optional[t.Container[str]]) -> ToldFor:
    """What is true once these were taken away; None for all."""
    return {name: upstreams for name, upstreams in before.items() if endpoints is not None and name not in endpoints}


def with_entries_left(wanted: ToldFor, before: ToldFor, entries: t.Iterable[Entry]) -> ToldFor:
    """With those that should be gone and still have something there, for an engine that was not served: another run takes it."""
    there = {endpoint for entry in entries for endpoint in entry.endpoints}
    return {**{name: upstreams for name, upstreams in before.items() if name in there}, **wanted}
