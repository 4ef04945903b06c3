# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.
"""What repositories have, as far as it takes to decide what of it is kept: manifests, tags, and how they hang together. Pure."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.registry.served import ServedImage

# Under this tag is noted what goes while it goes: an index of all that no tag leads to once its image has gone. Where a run was
# interrupted, the next one finds it.
NOTE_TAG = "longshore-pruning"


@dataclasses.dataclass
class Repository:
    """A repository.

    :param images: by digest what its tags lead to, what is in use by its digest, and what refers to these.
    :param tags: the digest of each tag.
    :param referrers: by a manifest's digest those of what is about it.
    :param about_others: tags that say of which manifest they are about, as those of signatures do.
    :param unread: what of it cannot be read, so that it is not known what that needs.
    """

    name: str
    images: t.Dict[str, ServedImage] = dataclasses.field(default_factory=dict)
    tags: t.Dict[str, str] = dataclasses.field(default_factory=dict)
    referrers: t.Dict[str, t.Set[str]] = dataclasses.field(default_factory=dict)
    about_others: t.Set[str] = dataclasses.field(default_factory=set)
    unread: t.List[str] = dataclasses.field(default_factory=list)

    def manifests(self) -> t.Dict[str, ServedImage]:
        """All that is known to be there by digest, what indexes list among it."""
        found: t.Dict[str, ServedImage] = {}
        waiting = list(self.images.values())
        while waiting:
            image = waiting.pop()
            if str(image.digest) not in found:
                found[str(image.digest)] = image
                waiting.extend(child for _listed, child in image.children if child is not None)
        return found

    def tags_of(self) -> t.Dict[str, t.List[str]]:
        """The tags of each digest that has some, sorted."""
        found: t.Dict[str, t.List[str]] = {}
        for tag in sorted(self.tags):
            found.setdefault(self.tags[tag], []).append(tag)
        return found


class Tree:
    """How the manifests of a repository hang together: what an index lists and what is about a manifest are with it."""

    def __init__(self, repository: Repository) -> None:
        self.manifests = repository.manifests()
        self.tags = repository.tags_of()
        self._with: t.Dict[str, t.List[str]] = {}
        self._subjects: t.Dict[str, t.Set[str]] = {}
        about: t.Dict[str, t.Set[str]] = {digest: set(found) for digest, found in repository.referrers.items()}
        for digest, image in self.manifests.items():
            if image.subject:
                about.setdefault(str(image.subject), set()).add(digest)
        for digest in self.manifests:
            referrers = sorted(one for one in about.get(digest, ()) if one in self.manifests and one != digest)
            self._with[digest] = [*self.children(digest), *referrers]
            for one in referrers:
                self._subjects.setdefault(one, set()).add(digest)

    def children(self, digest: str) -> t.List[str]:
        """What an index lists, as far as it is there."""
        return [str(child.digest) for _listed, child in self.manifests[digest].children if child is not None]

    def is_about_another(self, digest: str) -> bool:
        """Whether it refers to a manifest that is there, with which it stays or goes; one that is its own does not count."""
        subjects = self._subjects.get(digest)
        return bool(subjects) and any(subject not in self.all_with([digest]) for subject in subjects or ())

    def all_with(self, digests: t.Iterable[str]) -> t.Dict[str, None]:
        """These and all that is with them, at any depth, in their order; what is with something comes after that."""
        done: t.Dict[str, None] = {}
        entered: t.Set[str] = set()
        for digest in reversed(list(digests)):
            ways = [(digest, iter(self._with[digest]))] if digest not in done else []
            entered.add(digest)
            while ways:
                here, rest = ways[-1]
                following = next((one for one in rest if one not in entered), None)
                if following is not None:
                    entered.add(following)
                    ways.append((following, iter(self._with[following])))
                else:
                    done[here] = None
                    ways.pop()
        return dict.fromkeys(reversed(list(done)))
