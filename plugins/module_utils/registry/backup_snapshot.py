# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What a registry held at one moment, as a backup notes it: a document that says which blobs it needs, and proves itself.

Digests are texts as 'sha256:<digits>'. Nothing here reads or writes a file.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_contents import Contents, Repository
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_plan import Rules, plan

FORMAT = 1
# what keeps everything: a backup asks only what is there and what is lacking
EVERYTHING = Rules(recent=float("inf"))
_DIGEST = re.compile(r"[a-z0-9]+:[0-9a-f]{32,}")
# as the distribution specification has them, but for their lengths
_NAME = re.compile(r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


class BadSnapshot(Exception):
    """A document that is not what was once written; in words."""


@dataclasses.dataclass(frozen=True)
class KeptRepository:
    """What a repository has, all of it sorted: C(tags) lead to digests, C(history) has those that a tag led to at any time,
    C(manifests) have the signatures that are linked below them."""

    tags: t.Mapping[str, str]
    history: t.Mapping[str, t.Tuple[str, ...]]
    manifests: t.Mapping[str, t.Tuple[str, ...]]
    layers: t.Tuple[str, ...]

    @property
    def digests(self) -> t.FrozenSet[str]:
        """All that it has links to; of what a tag led to before the bytes may be gone."""
        signatures = {digest for below in self.manifests.values() for digest in below}
        return frozenset({*self.manifests, *self.layers, *signatures})


@dataclasses.dataclass(frozen=True)
class KeptFile:
    """A file beside the images; C(mode) in octal digits, C(size) in bytes."""

    path: str
    owner: str
    group: str
    mode: str
    digest: str
    size: int


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """What there was.

    :param blobs: the sizes, in bytes, of all blobs that the repositories need, by their digests.
    :param missing: what tags lacked then, in words.
    """

    repositories: t.Mapping[str, KeptRepository]
    blobs: t.Mapping[str, int]
    files: t.Tuple[KeptFile, ...] = ()
    missing: t.Tuple[str, ...] = ()

    @property
    def needed(self) -> t.Dict[str, int]:
        """Sizes, by digest, of all that a backup has to hold for it."""
        return {**self.blobs, **{file.digest: file.size for file in self.files}}

    @property
    def tags(self) -> int:
        return sum(len(repository.tags) for repository in self.repositories.values())

    @property
    def manifests(self) -> int:
        return sum(len(repository.manifests) for repository in self.repositories.values())

    def written(self) -> str:
        """As a file holds it: the same for the same contents, whenever it is written."""
        contents = dataclasses.asdict(self)
        text = json.dumps(contents, sort_keys=True, separators=(",", ":"))
        # the text, not the object: what is hashed is then what is read, whatever wrote it
        return json.dumps({"format": FORMAT, "sha256": _sha256(text), "contents": text}) + "\n"


def snapshot_of(contents: Contents, files: t.Iterable[KeptFile] = ()) -> Snapshot:
    """Note what a storage holds; links that lead to nothing are left out, and said in C(missing) where a tag needs them."""
    repositories = {
        name: _kept(repository, contents) for name, repository in sorted(contents.repositories.items()) if name
    }
    blobs = {digest: contents.blobs[digest].size for kept in repositories.values() for digest in kept.digests}
    found = plan(contents, EVERYTHING, {}, 0.0)
    return Snapshot(
        repositories=repositories,
        blobs=dict(sorted(blobs.items())),
        files=tuple(sorted(files, key=lambda file: file.path)),
        missing=tuple(sorted({*found.missing, *found.faults})),
    )


def _kept(repository: Repository, contents: Contents) -> KeptRepository:
    manifests = {
        digest: tuple(sorted(signature for signature in link.signatures if signature in contents.blobs))
        for digest, link in sorted(repository.manifests.items())
        if link.is_whole and digest in contents.blobs
    }
    return KeptRepository(
        tags={tag: digest for tag, digest in sorted(repository.tags.items()) if digest in manifests},
        history={tag: tuple(sorted(led_to)) for tag, led_to in sorted(repository.history.items())},
        manifests=manifests,
        layers=tuple(
            digest for digest, link in sorted(repository.layers.items()) if link.is_whole and digest in contents.blobs
        ),
    )


def has_broken_links(contents: Contents) -> bool:
    """Whether a link is empty or leads to nothing, as it is for a moment while the registry writes it."""
    return any(
        not link.is_whole or digest not in contents.blobs
        for repository in contents.repositories.values()
        for digest, link in (*repository.manifests.items(), *repository.layers.items())
    )


def read_snapshot(text: str) -> Snapshot:
    """What C(Snapshot.written) wrote.

    :raises BadSnapshot: it is something else, or was changed since.
    """
    try:
        said = json.loads(text)
        if said["format"] != FORMAT:
            raise BadSnapshot(
                "it is of format %s, and this version of longshore.delivery reads format %d" % (said["format"], FORMAT)
            )
        if _sha256(said["contents"]) != said["sha256"]:
            raise BadSnapshot("it was changed after it was written, or is damaged")
        contents = json.loads(said["contents"])
        found = Snapshot(
            repositories={
                name: KeptRepository(
                    tags=repository["tags"],
                    history={tag: tuple(led_to) for tag, led_to in repository["history"].items()},
                    manifests={digest: tuple(below) for digest, below in repository["manifests"].items()},
                    layers=tuple(repository["layers"]),
                )
                for name, repository in contents["repositories"].items()
            },
            blobs=contents["blobs"],
            files=tuple(KeptFile(**file) for file in contents["files"]),
            missing=tuple(contents["missing"]),
        )
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise BadSnapshot("it cannot be read (%s: %s)" % (type(error).__name__, error)) from None
    _check(found)
    return found


def _check(found: Snapshot) -> None:
    """Names become paths that root writes to."""
    for name, repository in found.repositories.items():
        digests = {*repository.tags.values(), *repository.digests}
        digests.update(digest for led_to in repository.history.values() for digest in led_to)
        strange = [name] if not _NAME.fullmatch(name) else []
        strange += [tag for tag in (*repository.tags, *repository.history) if not _TAG.fullmatch(tag)]
        strange += [digest for digest in digests if not _DIGEST.fullmatch(digest)]
        strange += [digest for digest in repository.digests if digest not in found.blobs]
        if strange:
            raise BadSnapshot("it names %r, which no registry does" % strange[0])


def lost(present: Snapshot, wanted: Snapshot) -> t.Tuple[str, ...]:
    """What is there and would be gone: tags, and manifests that no such tag leads to."""
    said = []
    for name, repository in present.repositories.items():
        kept = wanted.repositories.get(name, KeptRepository({}, {}, {}, ()))
        tags = {tag: digest for tag, digest in repository.tags.items() if kept.tags.get(tag) != digest}
        said += ["%s:%s" % (name, tag) for tag in tags]
        said += [
            "%s@%s" % (name, digest)
            for digest in repository.manifests
            if digest not in kept.manifests and digest not in tags.values()
        ]
    return tuple(sorted(said))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
