# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""In which order images are built: each after those that it is built on, and after those that it names.

What is built more than once, as for the engine and for a layout, is built one after the other.
"""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.named_contexts import NamedContext
from ansible_collections.longshore.delivery.plugins.module_utils.build.output import ENGINE, LAYOUT
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile import dockerfile
from ansible_collections.longshore.delivery.plugins.module_utils.dockerfile.stages import (
    base_images,
    needed_stages,
    stages_of,
)


class ImpossibleOrder(DeliveryError):
    """Images that wait for one another, or for one that is not in the list, or that no build of theirs finds."""


@dataclasses.dataclass(frozen=True)
class Member:
    """An image of the list.

    :param name: as the list calls it.
    :param references: what it will be called.
    :param bases: the images that its Dockerfile names; None where that cannot be known before the build.
    :param depends_on: names of others in the list, or references.
    :param output: where it will be, one of OUTPUTS.
    :param builder: the name of the builder that builds it, which has no images; empty for the engine's own.
    """

    name: str
    references: t.FrozenSet[str]
    bases: t.Optional[t.FrozenSet[str]] = frozenset()
    depends_on: t.Tuple[str, ...] = ()
    output: str = ENGINE
    builder: str = ""

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
    """For each image the numbers of those that it waits for. One whose bases are unknown waits for all before it, and one of the
    same name for the first.

    :raises ImpossibleOrder: one names what is not in the list, or stands on what its build would not find, or some wait for one
        another.
    """
    for member in members:
        _check_bases(member, members)
    order = tuple(frozenset(_waits_for(number, members)) for number in range(len(members)))
    circle = _circle(order)
    if circle:
        raise ImpossibleOrder(
            "These images wait for one another: %s. Take one of the dependencies away, which come from FROM, COPY --from and "
            "'depends_on'." % " after ".join(members[number].name for number in circle)
        )
    return order


def _check_bases(member: Member, members: t.Sequence[Member]) -> None:
    for base in sorted(member.bases or ()):
        before = [other for other in members if other is not member and base in other.references]
        why = [_out_of_reach(other, member) for other in before]
        if before and all(why):
            raise ImpossibleOrder("%s stands on %s, which %s." % (member.name, base, why[0]))


def _out_of_reach(base: Member, member: Member) -> str:
    """Why the build of one image does not find another, with the way out; empty where it does."""
    if base.output == LAYOUT:
        return (
            "goes to an OCI layout, where no build looks for it. Leave its 'output' away, or set it to registry; a list may have "
            "the same image once more for the layout"
        )
    if base.output == ENGINE and member.builder:
        return (
            "stays in the engine, and the builder %s has the images of registries alone. Set its 'output' to registry, or leave "
            "'builder' away" % member.builder
        )
    return ""


def _waits_for(number: int, members: t.Sequence[Member]) -> t.Iterator[int]:
    member = members[number]
    for other, before in enumerate(members):
        # two that build the same at once would take each other's images for their own leavings
        follows = other < number and (member.bases is None or before.references & member.references)
        if other != number and (follows or before.references & (member.bases or frozenset())):
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
