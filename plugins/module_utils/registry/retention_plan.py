# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.
"""What of a registry's repositories goes and what stays, with the reasons. Pure.

A tag goes that some rule is about and none of those keeps. An image goes with all its tags, since registries delete by digest: so
it stays as long as one of its tags does, and so does what is in use. What an index lists, and what is about an image, is with it:
it goes where nothing that stays has it, too.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.counted import some
from ansible_collections.longshore.delivery.plugins.module_utils.moments import shown_moment
from ansible_collections.longshore.delivery.plugins.module_utils.registry.retention_contents import (
    NOTE_TAG,
    Repository,
    Tree,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.retention_rules import Rule, Rules
from ansible_collections.longshore.delivery.plugins.module_utils.registry.retention_use import InUse
from ansible_collections.longshore.delivery.plugins.module_utils.registry.served import ServedImage, platforms

_USERS_SHOWN = 5


@dataclasses.dataclass(frozen=True)
class Going:
    """A manifest that goes.

    :param tags: those that go with it.
    :param along: of what goes with an image, the first image that it goes with; None for what goes for itself.
    """

    repository: str
    image: ServedImage
    tags: t.Tuple[str, ...]
    why: str
    along: t.Optional[str] = None

    @property
    def digest(self) -> str:
        return str(self.image.digest)

    def shown(self) -> t.Dict[str, t.Any]:
        """As a task's result has it."""
        return {**_shown(self.repository, self.image, self.tags), "why": self.why, "along_with": self.along}


@dataclasses.dataclass(frozen=True)
class Staying:
    """An image that rules are about, and that stays; C(why) has every reason."""

    repository: str
    image: ServedImage
    tags: t.Tuple[str, ...]
    why: t.Tuple[str, ...]

    def shown(self) -> t.Dict[str, t.Any]:
        """As a task's result has it."""
        return {**_shown(self.repository, self.image, self.tags), "why": list(self.why)}


@dataclasses.dataclass(frozen=True)
class RetentionPlan:
    """What is done.

    :param going: by repository, what is with something after that.
    :param bytes_freed: of all that only this needs; None where that is not known.
    """

    going: t.Tuple[Going, ...]
    staying: t.Tuple[Staying, ...]
    bytes_freed: t.Optional[int]

    @property
    def repositories(self) -> t.List[str]:
        """Those of which something goes."""
        return list(dict.fromkeys(one.repository for one in self.going))

    def of(self, repository: str) -> t.List[Going]:
        """What goes of one."""
        return [one for one in self.going if one.repository == repository]


def plan_retention(repositories: t.Sequence[Repository], rules: Rules, in_use: InUse) -> RetentionPlan:
    """Decide.

    :param repositories: all of the registry, those too that no rule is of, since they may need the same bytes.
    """
    going: t.List[Going] = []
    staying: t.List[Staying] = []
    kept: t.Dict[str, t.Optional[int]] = {}
    for repository in repositories:
        tree = Tree(repository)
        here: t.List[Going] = []
        if rules.of(repository.name):
            here, stays = _decided(repository, tree, rules.of(repository.name), in_use)
            going += here
            staying += stays
        gone = {one.digest for one in here}
        for digest, image in tree.manifests.items():
            if digest not in gone:
                kept.update(_own_parts(image))
    known = not any(repository.unread for repository in repositories)
    return RetentionPlan(tuple(going), tuple(staying), _freed(going, kept) if known else None)


def _decided(
    repository: Repository, tree: Tree, rules: t.Sequence[Rule], in_use: InUse
) -> t.Tuple[t.List[Going], t.List[Staying]]:
    newest = {rule.number: _newest(rule, repository, tree) for rule in rules}
    keeping: t.Dict[str, t.List[str]] = {}
    leaving: t.Dict[str, str] = {}
    for digest in sorted(repository.images, key=lambda digest: (tree.tags.get(digest, [""]), digest)):
        tags = tree.tags.get(digest, [])
        used = _used(digest, repository.name, tree, in_use)
        if tags == [NOTE_TAG]:
            leaving[digest] = "it notes what a run was to delete that was interrupted"
            # nobody uses the note: what it lists may have come to be used
            listed = {one: _used(one, repository.name, tree, in_use) for one in tree.children(digest)}
            keeping.update((one, why) for one, why in listed.items() if why)
            continue
        tags = [tag for tag in tags if tag != NOTE_TAG]
        reasons = [*used, *_reasons(digest, tags, repository, tree, rules, newest)]
        if tree.is_about_another(digest) and not used:
            continue
        if reasons:
            keeping[digest] = reasons
        else:
            about = [rule for rule in rules if any(rule.is_about(tag) for tag in tags)]
            leaving[digest] = "; ".join(rule.lets_go(tree.manifests[digest].latest) for rule in about)
    if repository.unread:
        said = "what %s needs is not known, so nothing goes here" % "; ".join(repository.unread)
        keeping.update((digest, [said]) for digest in leaving)
        leaving = {}
    stays = tree.all_with(keeping)
    held = [digest for digest in leaving if digest in stays]
    holders = _holders(keeping, tree)
    for digest in held:
        keeping[digest] = ["%s needs it, which stays" % holders[digest]]
        del leaving[digest]
    holders = _holders(leaving, tree)
    goes = [digest for digest in tree.all_with(leaving) if digest not in stays]
    return (
        [
            Going(
                repository.name,
                tree.manifests[digest],
                tuple(tree.tags.get(digest, ())),
                leaving.get(digest) or "nothing that stays needs it",
                None if digest in leaving else holders[digest],
            )
            for digest in goes
        ],
        [
            Staying(repository.name, tree.manifests[digest], tuple(tree.tags.get(digest, ())), tuple(reasons))
            for digest, reasons in keeping.items()
            if reasons and any(rule.is_about(tag) for tag in tree.tags.get(digest, ()) for rule in rules)
        ],
    )


def _used(digest: str, repository: str, tree: Tree, in_use: InUse) -> t.List[str]:
    """Why it stays, being in use: by itself, by what it lists, by their configurations, or by what is about them."""
    parts = [part for one in tree.all_with([digest]) for part in _own_parts(tree.manifests[one])]
    tags = [tag for one in tree.all_with([digest]) for tag in tree.tags.get(one, ())]
    users = in_use.by(parts, repository, tags)
    return ["in use by " + some(users, _USERS_SHOWN)] if users else []


def _reasons(
    digest: str,
    tags: t.Sequence[str],
    repository: Repository,
    tree: Tree,
    rules: t.Sequence[Rule],
    newest: t.Mapping[int, t.FrozenSet[str]],
) -> t.List[str]:
    """Why its tags stay."""
    created = tree.manifests[digest].latest
    found = [] if tags else ["no tag leads to it"]
    for tag in tags:
        if tag in repository.about_others:
            found.append("%s is about an image that no tag leads to" % tag)
        about = [rule for rule in rules if rule.is_about(tag)]
        if not about:
            found.append("no rule is about %s" % tag)
        for rule in about:
            kept = rule.keeps(tag, created, digest in newest[rule.number])
            if kept:
                found.append("rule %d: %s" % (rule.number, kept))
    return list(dict.fromkeys(found))


def _newest(rule: Rule, repository: Repository, tree: Tree) -> t.FrozenSet[str]:
    """The newest images of those that a rule is about; all that are as old as the last of them are among them."""
    if not rule.newest:
        return frozenset()
    others = {NOTE_TAG, *repository.about_others}
    moments = {
        digest: tree.manifests[digest].latest
        for digest, tags in tree.tags.items()
        if not tree.is_about_another(digest) and any(rule.is_about(tag) for tag in tags if tag not in others)
    }
    times = sorted((moment for moment in moments.values() if moment is not None), reverse=True)
    if not times:
        return frozenset()
    limit = times[min(rule.newest, len(times)) - 1]
    return frozenset(digest for digest, moment in moments.items() if moment is not None and moment >= limit)


def _holders(candidates: t.Iterable[str], tree: Tree) -> t.Dict[str, str]:
    """The first of these that each manifest is with."""
    found: t.Dict[str, str] = {}
    for candidate in candidates:
        for digest in tree.all_with([candidate]):
            found.setdefault(digest, candidate)
    return found


def _own_parts(image: ServedImage) -> t.Dict[str, t.Optional[int]]:
    """Sizes by digest: its own, and those of its configuration and layers."""
    return {str(image.digest): image.manifest_size, **image.blobs}


def _freed(going: t.Sequence[Going], kept: t.Mapping[str, t.Optional[int]]) -> t.Optional[int]:
    parts: t.Dict[str, t.Optional[int]] = {}
    for one in going:
        parts.update(_own_parts(one.image))
    sizes = [size for part, size in parts.items() if part not in kept]
    return None if None in sizes else sum(size for size in sizes if size is not None)


def _shown(repository: str, image: ServedImage, tags: t.Sequence[str]) -> t.Dict[str, t.Any]:
    return {
        "repository": repository,
        "digest": str(image.digest),
        "tags": list(tags),
        "media_type": image.media_type,
        "platforms": sorted(platforms(image)),
        "created": shown_moment(image.latest),
        "size": image.size,
    }
