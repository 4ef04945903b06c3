# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""In which order images are built: each after those that it is built on, and after those that it names."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.named_contexts import NamedContext
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile import dockerfile
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.stages import (
    base_images,
    needed_stages,
    stages_of,
)


class ImpossibleOrder(DeliveryError):
    """Images that wait for one another, or for one that is not in the list."""


@dataclasses.dataclass(frozen=True)
class Member:
    """An image of the list.

    :param name: as the list calls it.
    :param references: what it will be called.
    :param bases: the images that its Dockerfile names; None where that cannot be known before the build.
    :param depends_on: names of others in the list, or references.
    """

    name: str
    references: t.FrozenSet[str]
    bases: t.Optional[t.FrozenSet[str]] = frozenset()
    depends_on: t.Tuple[str, ...] = ()

    def is_called(self, name: str) -> bool:
        """Whether that is its name, with or without a tag and the registry."""
        return name == self.name or any(("/" + reference).endswith("/" + name) for reference in self.references)


def named_bases(build: t.Mapping[str, t.Any]) -> t.Optional[t.FrozenSet[str]]:
    """The images that the Dockerfile of a build names.

    :param build: options of image_build.
    :returns: references; None where the build itself will have to say what is wrong with it, or the engine has to be asked.
    """
    inline = build.get("dockerfile_inline")
    path = os.path.join(build["source"], build["dockerfile"])
    try:
        if inline is None:
            with open(path, encoding="utf-8", errors="surrogateescape") as file:
                inline = file.read()
        arguments = {str(name): str(value) for name, value in build["args"].items()}
        contexts = {
            named.name: named.image
            for named in (NamedContext.parse(str(name), str(text)) for name, text in build["contexts"].items())
        }
        stages = needed_stages(stages_of(dockerfile.parse(inline, path), arguments), build["target"] or "", path)
        return frozenset(str(base.reference) for base in base_images(stages, stages, path, contexts))
    except (OSError, DeliveryError):
        return None


def build_order(members: t.Sequence[Member]) -> t.Tuple[t.FrozenSet[int], ...]:
    """For each image the numbers of those that it waits for. One whose bases are unknown waits for all before it.

    :raises ImpossibleOrder: one names what is not in the list, or some wait for one another.
    """
    order = tuple(frozenset(_waits_for(number, members)) for number in range(len(members)))
    circle = _circle(order)
    if circle:
        raise ImpossibleOrder(
            "These images wait for one another: %s. Take one of the dependencies away, which come from FROM, COPY --from and "
            "'depends_on'." % " after ".join(members[number].name for number in circle)
        )
    return order


def _waits_for(number: int, members: t.Sequence[Member]) -> t.Iterator[int]:
    member = members[number]
    for other, before in enumerate(members):
        unknown = member.bases is None and other < number
        if other != number and (unknown or before.references & (member.bases or frozenset())):
            yield other
    for name in member.depends_on:
        named = [other for other, before in enumerate(members) if before.is_called(name)]
        if not named:
            raise ImpossibleOrder(
                "%s: 'depends_on' names %s, which is not in the list. The names there are %s."
                % (member.name, name, ", ".join(sorted({known.name for known in members})))
            )
        yield from (other for other in named if other != number)


def _circle(order: t.Sequence[t.FrozenSet[int]]) -> t.List[int]:
    """Numbers that wait for one another, the first one again at the end; empty where there are none."""
    left = set(range(len(order)))
    while left:
        free = {number for number in left if not order[number] & left}
        if not free:
            break
        left -= free
    if not left:
        return []
    path = [min(left)]
    while path[-1] not in path[:-1]:
        path.append(min(order[path[-1]] & left))
    return path[path.index(path[-1]) :]
