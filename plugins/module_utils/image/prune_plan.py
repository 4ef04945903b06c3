# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Which images of an engine go, which names are taken from others, and which stay and why. Pure."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.image.contents import ImageContents
from ansible_collections.longshore.delivery.plugins.module_utils.image.names import InvalidSelection, Names
from ansible_collections.longshore.delivery.plugins.module_utils.image.selection import Selection
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference

_SELECTING = ("references", "globs", "labels")
Chain = t.Tuple[t.Any, ...]  # diffIDs of layers, the lowest first


@dataclasses.dataclass(frozen=True)
class Prunable:
    """An image of an engine, and what keeps it there.

    :param parent: ID of the image that it was built on, as far as the engine knows that; empty for none.
    :param containers: names of those that use it, running or not.
    :param is_step: whether the classic builder or Podman left it between the steps of a build. It goes with the last image that
        stands on it, as it would be the next one without a name.
    """

    contents: ImageContents
    parent: str = ""
    containers: t.Tuple[str, ...] = ()
    is_step: bool = False


@dataclasses.dataclass(frozen=True)
class PruneStep:
    """What is done with an image.

    :param names: those that are taken from it.
    :param whole: whether it goes itself; else it has further names, and stays.
    """

    image: ImageContents
    names: t.Tuple[Reference, ...]
    whole: bool

    @property
    def removals(self) -> t.List[str]:
        """What the engine is asked to remove, in this order: the names, with the last of which an image goes; an image without
        names by its ID.
        """
        names = [*self.names, *(self.image.pinned if self.whole else ())]
        return [str(name) for name in names] or [self.image.id]


@dataclasses.dataclass(frozen=True)
class Kept:
    """An image that was meant, and stays."""

    image: ImageContents
    why: str


@dataclasses.dataclass(frozen=True)
class PrunePlan:
    """:param staying: all other images, those that only lose a name among them."""

    steps: t.Tuple[PruneStep, ...]
    kept: t.Tuple[Kept, ...]
    staying: t.Tuple[ImageContents, ...]

    @property
    def going(self) -> t.List[ImageContents]:
        return [step.image for step in self.steps if step.whole]


def check_selection(params: t.Mapping[str, t.Any]) -> None:
    """What selects everything is asked for by C(**), not by leaving all options away, or by a list that came out empty.

    :raises InvalidSelection: nothing says what is to go.
    """
    for option in _SELECTING:
        if params[option] is not None and not params[option]:
            raise InvalidSelection("%s is empty: nothing would be meant by it. Leave it away, or fill it." % option)
    if params["keep"] is not None and params["keep"] < 1:
        raise InvalidSelection("keep is %d, and has to be 1 or more. Without it none is kept." % params["keep"])
    if not (params["dangling"] or params["older_than"] or params["keep"] or any(params[name] for name in _SELECTING)):
        raise InvalidSelection(
            "Nothing says which images are to go. Set references, globs, labels, dangling, older_than or keep."
        )


def plan_prune(
    images: t.Sequence[Prunable], names: Names, selection: Selection, keep: t.Optional[int] = None
) -> PrunePlan:
    """What is done, images before those that they were built on.

    :param names: images that are meant have one of these names, and lose it; with none at all every image is meant.
    :param selection: what they are like.
    :param keep: how many of each repository stay, the newest ones.
    """
    newest = _newest(images, keep)
    meant = [
        (image, _step(image.contents, names, newest))
        for image in images
        if not image.is_step and selection.wants(image.contents)
    ]
    steps = {image.contents.id: step for image, step in meant if step is not None and not image.containers}
    kept = [
        Kept(image.contents, "in use by %s" % ", ".join(image.containers))
        for image, step in meant
        if step is not None and image.containers
    ]
    while True:
        all_steps = {**steps, **_steps_of_builds(images, steps)}
        parents = {image.parent: image for image in images if not _goes(all_steps, image.contents.id)}
        held_back = [image_id for image_id in steps if steps[image_id].whole and image_id in parents]
        if not held_back:
            break
        for image_id in held_back:
            kept.append(Kept(steps.pop(image_id).image, "%s was built on it" % _built_on(image_id, parents)))
    steps = all_steps
    depths = _depths(images)
    ordered = sorted(steps.values(), key=lambda step: -depths[step.image.id])
    staying = tuple(image.contents for image in images if not _goes(steps, image.contents.id))
    return PrunePlan(tuple(ordered), tuple(kept), staying)


def gained(going: t.Sequence[ImageContents], staying: t.Sequence[ImageContents]) -> t.Optional[int]:
    """The bytes of layers that only images have which go; None where that cannot be known."""
    sizes: t.Dict[Chain, int] = {(): 0}
    for image in (*going, *staying):
        chain = _chain(image)
        if image.size is not None:
            sizes[chain] = image.size
        grown = 0
        for number, layer in enumerate(image.layers):
            if layer.size is None:
                break
            grown += layer.size
            sizes.setdefault(chain[: number + 1], grown)
    held = {_chain(image)[:length] for image in staying for length in range(len(image.layers) + 1)}
    held.add(())
    total = 0
    for image in going:
        chain = _chain(image)
        shared = max(length for length in range(len(chain) + 1) if chain[:length] in held)
        own = [layer.size for layer in image.layers[shared:]]
        if None not in own:
            total += sum(size for size in own if size is not None)
        elif chain in sizes and chain[:shared] in sizes:
            total += sizes[chain] - sizes[chain[:shared]]
        else:
            return None
        held.update(chain[:length] for length in range(len(chain) + 1))
    return total


def _step(
    image: ImageContents, names: Names, newest: t.Optional[t.Mapping[str, t.FrozenSet[str]]]
) -> t.Optional[PruneStep]:
    by_id = not names.is_empty and names.has_id(image.id)

    def is_meant(reference: t.Optional[Reference], beside: t.Sequence[Reference]) -> bool:
        if names.is_empty or by_id:
            return True
        return names.wants([*([reference] if reference else ()), *beside])

    losing = []
    for name in image.references:
        beside = [pinned for pinned in image.pinned if pinned.name == name.name]
        if is_meant(name, beside) and not (newest is not None and image.id in newest.get(name.name, ())):
            losing.append(name)
    repositories = {name.name for name in losing}
    others = [pinned for pinned in image.pinned if pinned.name not in repositories]
    whole = len(losing) == len(image.references) and all(is_meant(None, [pinned]) for pinned in others)
    if not image.references:
        # what has no tag is none of the newest, or the others, of a repository
        whole = newest is None and is_meant(None, image.pinned)
    return PruneStep(image, tuple(losing), whole) if losing or whole else None


def _newest(images: t.Sequence[Prunable], keep: t.Optional[int]) -> t.Optional[t.Dict[str, t.FrozenSet[str]]]:
    """By repository the IDs of those that stay. One whose age is not known does, and so do all that are as old as the last."""
    if keep is None:
        return None
    repositories: t.Dict[str, t.Dict[str, ImageContents]] = {}
    for image in images:
        for name in image.contents.references:
            repositories.setdefault(name.name, {})[image.contents.id] = image.contents
    staying = {}
    for repository, held in repositories.items():
        times = sorted((image.created for image in held.values() if image.created is not None), reverse=True)
        limit = times[min(keep, len(times)) - 1] if times else None
        staying[repository] = frozenset(
            image_id
            for image_id, image in held.items()
            if image.created is None or (limit is not None and image.created >= limit)
        )
    return staying


def _steps_of_builds(images: t.Sequence[Prunable], steps: t.Mapping[str, PruneStep]) -> t.Dict[str, PruneStep]:
    """Those that nothing else stands on, once these go."""
    found: t.Dict[str, PruneStep] = {}
    parents = {image.contents.id: image.parent for image in images}
    free = {image.contents.id: image.contents for image in images if image.is_step and not image.containers}
    for image_id in [image_id for image_id in steps if steps[image_id].whole]:
        above = parents[image_id]
        while above in free and all(
            child in found or _goes(steps, child) for child, parent in parents.items() if parent == above
        ):
            found[above] = PruneStep(free[above], (), True)
            above = parents[above]
    return found


def _built_on(image_id: str, parents: t.Mapping[str, Prunable]) -> str:
    """The image that a user sees and that was built on this one, by whatever steps.

    :param parents: by an image's ID one that was built on it and stays.
    """
    seen = {image_id}
    image = parents[image_id]
    while image.is_step and image.contents.id in parents and image.contents.id not in seen:
        seen.add(image.contents.id)
        image = parents[image.contents.id]
    return image.contents.id


def _goes(steps: t.Mapping[str, PruneStep], image_id: str) -> bool:
    return image_id in steps and steps[image_id].whole


def _depths(images: t.Sequence[Prunable]) -> t.Dict[str, int]:
    """By ID, how many images each was built on, one on the other."""
    parents = {image.contents.id: image.parent for image in images}
    depths = {}
    for image_id in parents:
        seen: t.Set[str] = set()
        above = parents[image_id]
        while above in parents and above not in seen:
            seen.add(above)
            above = parents[above]
        depths[image_id] = len(seen)
    return depths


def _chain(image: ImageContents) -> Chain:
    return tuple(layer.diff_id for layer in image.layers)
