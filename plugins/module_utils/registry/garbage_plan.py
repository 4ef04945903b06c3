# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What in a registry's storage nobody needs, decided without reading or writing anything.

Needed is what a tag leads to, the children of an index with or without a tag of their own, and what was pushed so recently that
its image or tag may be still on its way. Manifests without a tag stay unless asked for: pods may run them by their digest.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_contents import (
    Blob,
    Contents,
    Document,
    Link,
    Repository,
)

Place = t.Tuple[str, str]  # a repository and a digest in it


@dataclasses.dataclass(frozen=True)
class Rules:
    """How long what nobody refers to is kept, in seconds.

    :param recent: since it was pushed.
    :param untagged: since a manifest was first seen without a tag; None keeps all of them.
    """

    recent: float
    untagged: t.Optional[float] = None


@dataclasses.dataclass(frozen=True)
class Promise:
    """What has to be served after a collection: a manifest (by its tag, too) or a blob; C(size) in bytes."""

    repository: str
    digest: str
    size: int
    is_manifest: bool = False
    tags: t.Tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Garbage:
    """What is to go, and what has to stay.

    :param history: repository, tag and digest of what a tag led to and is to go.
    :param untagged: manifests without a tag that stay, with the moment since which they are known to have none.
    :param size: of the blobs to go, in bytes.
    :param faults: manifests that are needed and cannot be read: while there are any nothing may go.
    :param missing: what was missing before, in words.
    """

    manifests: t.Tuple[Place, ...] = ()
    history: t.Tuple[t.Tuple[str, str, str], ...] = ()
    layers: t.Tuple[Place, ...] = ()
    blobs: t.Tuple[str, ...] = ()
    size: int = 0
    promises: t.Tuple[Promise, ...] = ()
    untagged: t.Mapping[Place, float] = dataclasses.field(default_factory=dict)
    faults: t.Tuple[str, ...] = ()
    missing: t.Tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.manifests or self.layers or self.blobs)


@dataclasses.dataclass(frozen=True)
class _Sorted:
    """What is kept of one repository, and what goes."""

    tagged: t.FrozenSet[str]
    kept: t.FrozenSet[str]
    blobs: t.FrozenSet[str]
    manifests_going: t.FrozenSet[str]
    layers_going: t.FrozenSet[str]
    since: t.Mapping[str, float]


def plan(contents: Contents, rules: Rules, untagged_since: t.Mapping[Place, float], now: float) -> Garbage:
    """Decide.

    :param untagged_since: what C(Garbage.untagged) of the run before said.
    :param now: in seconds since the epoch.
    """
    by_name = sorted(contents.repositories.items())
    parts = [
        (name, repository, _sorted(name, repository, contents, rules, untagged_since, now))
        for name, repository in by_name
    ]
    needed = {digest for digest, blob in contents.blobs.items() if _is_recent(blob, rules, now)}
    promises: t.List[Promise] = []
    missing: t.List[str] = []
    for name, repository, part in parts:
        needed |= part.kept | part.blobs | (repository.layers.keys() - part.layers_going)
        kept_here, missing_here = _promises(name, repository, part, contents)
        promises += kept_here
        missing += missing_here
    going = sorted(contents.blobs.keys() - needed)
    return Garbage(
        manifests=tuple((name, digest) for name, _repository, part in parts for digest in sorted(part.manifests_going)),
        history=tuple(
            (name, tag, digest)
            for name, repository, part in parts
            for tag, led_to in sorted(repository.history.items())
            for digest in sorted(led_to & part.manifests_going)
        ),
        layers=tuple((name, digest) for name, _repository, part in parts for digest in sorted(part.layers_going)),
        blobs=tuple(going),
        size=sum(contents.blobs[digest].size for digest in going),
        promises=tuple(promises),
        untagged={(name, digest): part.since[digest] for name, _repository, part in parts for digest in part.since},
        faults=tuple(
            "%s@%s: %s" % (name, digest, contents.documents[digest].fault)
            for name, _repository, part in parts
            for digest in sorted(part.kept & contents.documents.keys())
            if contents.documents[digest].fault
        ),
        missing=tuple(missing),
    )


def _sorted(
    name: str,
    repository: Repository,
    contents: Contents,
    rules: Rules,
    untagged_since: t.Mapping[Place, float],
    now: float,
) -> _Sorted:
    tagged = _with_children(repository.tags.values(), contents)
    # a clock that was ahead must not keep a manifest for ever
    since = {
        digest: min(now, untagged_since.get((name, digest), now))
        for digest in repository.manifests
        if digest not in tagged
    }
    staying = [
        digest
        for digest in since
        if rules.untagged is None
        or _is_recent(repository.manifests[digest], rules, now)
        or now - since[digest] < rules.untagged
    ]
    kept = tagged | _with_children(staying, contents)
    blobs = {target.digest for digest in kept for target in _document(digest, contents).blobs}
    blobs.update(
        signature for digest, link in repository.manifests.items() if digest in kept for signature in link.signatures
    )
    return _Sorted(
        tagged=frozenset(tagged),
        kept=frozenset(kept),
        blobs=frozenset(blobs),
        manifests_going=frozenset(repository.manifests.keys() - kept),
        layers_going=frozenset(
            digest
            for digest, link in repository.layers.items()
            if digest not in blobs and digest not in kept and not _is_recent(link, rules, now)
        ),
        since={digest: moment for digest, moment in since.items() if digest in kept},
    )


def _with_children(digests: t.Iterable[str], contents: Contents) -> t.Set[str]:
    """These manifests, and all that they list, at any depth."""
    found: t.Set[str] = set()
    ways = list(digests)
    while ways:
        digest = ways.pop()
        if digest not in found:
            found.add(digest)
            ways.extend(child.digest for child in _document(digest, contents).children)
    return found


def _promises(
    name: str, repository: Repository, part: _Sorted, contents: Contents
) -> t.Tuple[t.List[Promise], t.List[str]]:
    """What the registry serves of what is kept, and what is missing, in words, of what the tags lead to."""
    promises: t.Dict[str, Promise] = {}
    missing: t.List[str] = []
    tags: t.Dict[str, t.List[str]] = {}
    for tag, digest in sorted(repository.tags.items()):
        tags.setdefault(digest, []).append(tag)
    for digest in sorted(part.kept):
        if not _is_served(digest, repository.manifests, contents):
            if digest in part.tagged:
                missing.append("%s@%s: the manifest" % (name, digest))
            continue
        size = contents.blobs[digest].size
        promises["manifest " + digest] = Promise(name, digest, size, True, tuple(tags.get(digest, ())))
        for target in _document(digest, contents).blobs:
            size = contents.blobs[target.digest].size if target.digest in contents.blobs else -1
            if _is_served(target.digest, repository.layers, contents) and target.size in (-1, size):
                promises.setdefault("blob " + target.digest, Promise(name, target.digest, size))
            elif digest in part.tagged and not target.elsewhere:
                missing.append("%s@%s: blob %s" % (name, digest, target.digest))
    return list(promises.values()), missing


def _is_served(digest: str, links: t.Mapping[str, Link], contents: Contents) -> bool:
    return digest in links and links[digest].is_whole and digest in contents.blobs


def _document(digest: str, contents: Contents) -> Document:
    return contents.documents.get(digest, Document())


def _is_recent(found: t.Union[Link, Blob], rules: Rules, now: float) -> bool:
    return bool(now - found.changed_at < rules.recent)
