# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The files of a registry's storage: what is there, and how garbage is put aside, brought back or deleted.

What is put aside gets another name in the directory where it is: a rename needs no room on a full disk and never another file
system, the registry finds nothing under that name, and whoever finds it can bring it back without a list of what was done.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import shutil
import stat
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_contents import (
    Blob,
    Contents,
    Document,
    Link,
    Repository,
    read_document,
)
from ansible_collections.longshore.delivery.plugins.module_utils.registry.garbage_plan import Garbage, Promise
from ansible_collections.longshore.delivery.plugins.module_utils.registry.storage_layout import base, current, linked

ASIDE = ".longshore-garbage"
REVISIONS = "revisions"  # of a repository, a directory for each manifest by its digest
# The distribution specification recommends 4 MiB as the largest manifest that a registry takes.
_MANIFEST_LIMIT = 4 * 1024 * 1024


class StrangeStorage(Exception):
    """Something in the storage is not as a registry makes it, so that what is needed cannot be known."""


class Storage:
    """The storage below a directory, read again and again; what manifests say is kept, since their bytes never change.

    :param root: the C(rootdirectory) of the registry's configuration.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self._base = base(root)
        self._repositories = os.path.join(self._base, "repositories")
        self._blobs = os.path.join(self._base, "blobs")
        self._documents: t.Dict[str, Document] = {}
        self.aside: t.List[str] = []

    def read(self, check: t.Callable[[], None] = lambda: None) -> Contents:
        """Walk through all of it. Afterwards C(aside) has what an earlier run put aside.

        :param check: called again and again on the way; raises to end it.
        :raises StrangeStorage: it has what no registry makes, such as a symbolic link.
        :raises OSError: it cannot be read.
        """
        self.aside = []
        contents = Contents()
        # what leads to others before those: a push meanwhile has its blobs there before what leads to them
        for name, path in self._repository_directories():
            contents.repositories[name] = self._repository(path, check)
        for prefix in self._digest_directories(self._blobs):
            check()
            for digest, path in self._digests(prefix, os.path.basename(os.path.dirname(prefix))):
                found = _stat(os.path.join(path, "data"))
                if found is not None:
                    contents.blobs[digest] = Blob(found.st_size, found.st_mtime)
        if contents.blobs and not contents.repositories:
            raise StrangeStorage(
                "%s has no repository, and there are blobs: perhaps it is not mounted. Mount it" % self._repositories
            )
        self._read_documents(contents, check)
        return contents

    def _digest_directories(self, blobs: str) -> t.Iterator[str]:
        """Where blobs are, by algorithm and the first two digits."""
        for algorithm in _directories(blobs):
            for prefix in _directories(os.path.join(blobs, algorithm)):
                yield os.path.join(blobs, algorithm, prefix)

    def _digests(self, directory: str, algorithm: str) -> t.Iterator[t.Tuple[str, str]]:
        """Digests with their directories in one; those put aside are noted instead."""
        for name in _directories(directory):
            path = os.path.join(directory, name)
            if name.endswith(ASIDE):
                self.aside.append(path)
            else:
                yield "%s:%s" % (algorithm, name), path

    def _repository_directories(self) -> t.Iterator[t.Tuple[str, str]]:
        ways = [("", self._repositories)]
        while ways:
            name, path = ways.pop()
            below = _directories(path)
            if "_manifests" in below or "_layers" in below:
                yield name, path
            ways += [
                ("%s/%s" % (name, part) if name else part, os.path.join(path, part))
                for part in below
                if not part.startswith("_")
            ]

    def _repository(self, path: str, check: t.Callable[[], None]) -> Repository:
        found = Repository()
        manifests = os.path.join(path, "_manifests")
        tags = os.path.join(manifests, "tags")
        check()
        for tag in _directories(tags):
            check()
            digest = _read(os.path.join(tags, tag, "current", "link"))
            if digest is None:  # a push that has not ended, or one that was cut off
                continue
            algorithm, colon, digits = digest.partition(":")
            if not (algorithm.isalnum() and colon and digits.isalnum()):
                raise StrangeStorage(
                    "%s holds no digest, so that it is not known what tag %s needs. Push that tag again, or remove its directory"
                    % (os.path.join(tags, tag, "current", "link"), tag)
                )
            found.tags[tag] = digest
            found.history[tag] = {digest for digest, _link in self._links(os.path.join(tags, tag, "index"))}
        for digest, link in self._links(os.path.join(manifests, REVISIONS)):
            check()
            found.manifests[digest] = link
        for digest, link in self._links(os.path.join(path, "_layers")):
            check()
            found.layers[digest] = link
        return found

    def _links(self, directory: str) -> t.Iterator[t.Tuple[str, Link]]:
        for algorithm in _directories(directory):
            for digest, path in self._digests(os.path.join(directory, algorithm), algorithm):
                found = _stat(os.path.join(path, "link"))
                if found is not None:
                    signatures = tuple(digest for digest, _link in self._links(os.path.join(path, "signatures")))
                    yield digest, Link(found.st_mtime, found.st_size == len(digest), signatures)

    def _read_documents(self, contents: Contents, check: t.Callable[[], None]) -> None:
        ways = [digest for repository in contents.repositories.values() for digest in repository.manifests]
        ways += [digest for repository in contents.repositories.values() for digest in repository.tags.values()]
        while ways:
            check()
            digest = ways.pop()
            if digest in contents.documents or digest not in contents.blobs:
                continue
            document = self._documents.get(digest)
            if document is None:
                document = self._documents[digest] = self._document(digest)
            contents.documents[digest] = document
            ways.extend(child.digest for child in document.children)

    def _document(self, digest: str) -> Document:
        algorithm, _colon, digits = digest.partition(":")
        with open(os.path.join(self.blob(digest), "data"), "rb") as stream:
            body = stream.read(_MANIFEST_LIMIT + 1)
        if len(body) > _MANIFEST_LIMIT:
            return Document(fault="it has more than %d bytes" % _MANIFEST_LIMIT)
        if algorithm not in hashlib.algorithms_guaranteed or hashlib.new(algorithm, body).hexdigest() != digits:
            return Document(fault="its bytes have another digest")
        return read_document(body)

    def blob(self, digest: str) -> str:
        """The directory of a blob, whose bytes are its C(data)."""
        algorithm, _colon, digits = digest.partition(":")
        return os.path.join(self._blobs, algorithm, digits[:2], digits)

    def find_aside(self) -> t.List[str]:
        """What a run put aside, found without a look at what anything is, so that nothing in the storage is in the way."""
        found = []
        for directory, below, _files in os.walk(self._base, onerror=_unless_gone):
            asides = [name for name in below if name.endswith(ASIDE)]
            below[:] = [name for name in below if name not in asides]
            found += [os.path.join(directory, name) for name in asides]
        return found

    def places(self, garbage: Garbage) -> t.List[str]:
        """The directories of garbage: those by which it is found before those that are found."""
        found = [
            self.linked(name, "_manifests", "tags", tag, "index", *digest.split(":", 1))
            for name, tag, digest in garbage.history
        ]
        found += [
            self.linked(name, "_manifests", REVISIONS, *digest.split(":", 1)) for name, digest in garbage.manifests
        ]
        found += [self.linked(name, "_layers", *digest.split(":", 1)) for name, digest in garbage.layers]
        found += [self.blob(digest) for digest in garbage.blobs]
        return found

    def has_layer(self, name: str, digest: str) -> bool:
        """Whether a blob is found in a repository."""
        return os.path.isfile(os.path.join(self.linked(name, "_layers", *digest.split(":", 1)), "link"))

    def left_of(self, promise: Promise) -> t.Optional[Promise]:
        """What is to be served of it still: clients delete manifests and blobs, and let tags lead to others."""
        if not promise.is_manifest:
            return promise if self.has_layer(promise.repository, promise.digest) else None
        revision = self.linked(promise.repository, "_manifests", REVISIONS, *promise.digest.split(":", 1))
        if not os.path.isfile(os.path.join(revision, "link")):
            return None
        name, digest = promise.repository, promise.digest
        left = [tag for tag in promise.tags if _read(current(self._root, name, tag)) == digest]
        return dataclasses.replace(promise, tags=tuple(left))

    def linked(self, name: str, *parts: str) -> str:
        """A directory of a repository's, see C(storage_layout)."""
        return linked(self._root, name, *parts)


def put_aside(place: str) -> str:
    """Give a directory the name under which nothing is found; returns where it is now."""
    os.rename(place, place + ASIDE)
    return place + ASIDE


def bring_back(aside: str) -> None:
    """Undo C(put_aside), unless the same was pushed again meanwhile: then that one stays."""
    place = aside[: -len(ASIDE)]
    try:
        os.rename(aside, place)  # also over an empty directory
    except FileNotFoundError:
        return
    except OSError:
        if not os.path.isdir(place):
            raise
        for name in os.listdir(aside):
            if not os.path.lexists(os.path.join(place, name)):
                os.rename(os.path.join(aside, name), os.path.join(place, name))
        delete(aside)


def delete(aside: str) -> None:
    """Delete what was put aside, for good.

    Of a manifest its empty directory stays, as when the registry deletes it: by that other hosts of the same registry know that
    it is not to be copied back from them.
    """
    if os.path.basename(os.path.dirname(os.path.dirname(aside))) == REVISIONS:
        with contextlib.suppress(FileExistsError, FileNotFoundError):
            os.mkdir(aside[: -len(ASIDE)])
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(aside)


def _unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _directories(path: str) -> t.List[str]:
    """The names of the directories in one; none where there is nothing (any more).

    :raises StrangeStorage: there is a symbolic link, and what is behind it may be needed elsewhere.
    """
    found = []
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.is_symlink():
                    raise StrangeStorage(
                        "%s is a symbolic link, which no registry makes. Put there what it leads to, or mount that"
                        % entry.path
                    )
                if entry.is_dir(follow_symlinks=False):
                    found.append(entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return found


def _stat(path: str) -> t.Optional[os.stat_result]:
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(found.st_mode):
        raise StrangeStorage("%s is no file, where a registry has one. Take it away" % path)
    return found


def _read(path: str) -> t.Optional[str]:
    if _stat(path) is None:
        return None
    try:
        with open(path, encoding="ascii", errors="replace") as stream:
            return stream.read(1024)
    except FileNotFoundError:
        return None
