# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The paths by which BuildKit is given directories.

It keeps what it received under a directory's path, and asks next time only for files whose size, mode or modification time differ
(seen with the engines 20.10 and 26.1): one that was edited and given its old time back, as rsync, git-restore-mtime and others
do, would be built as it was before. Under a path that it does not know it asks for everything. So the path is that of a link,
beside which all is written down that was ever sent by it: what would not be seen to differ from that is sent by a new one.
"""

from __future__ import annotations

import contextlib
import dataclasses
import glob
import hashlib
import os
import secrets
import time
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.builder import BuildRequest
from ansible_collections.longshore.delivery.plugins.module_utils.build.content_hashes import ContentHashes
from ansible_collections.longshore.delivery.plugins.module_utils.build.private_files import read_json, write_json

_MONTH = 30 * 24 * 3600  # seconds
_FORM = 1  # of the record
_IGNORE_FILE = ".dockerignore"

# for each path, below what BuildKit knows its directory by, the digest of what was sent of each size and modification time
Record = t.Dict[str, t.Dict[str, str]]


@dataclasses.dataclass(frozen=True)
class Sent:
    """What a build is given.

    :param dockerfile: the path of the Dockerfile.
    :param root: the build's directory. By its path BuildKit knows the others' directories again, too.
    """

    dockerfile: str
    root: str


@contextlib.contextmanager
def sent(request: BuildRequest, temporary_directory: str, engine: str) -> t.Iterator[Sent]:
    """The paths for a build whose directories were just read, while it lasts.

    :param temporary_directory: for links that this build alone needs.
    :param engine: the address of the one that builds.
    """
    dockerfile = request.dockerfile_in(temporary_directory)
    files = _Files()
    with contextlib.suppress(OSError):  # it went away or changes: what is built then is not named
        files.add_context("", request.context.root, request.context.entries)
        for named in request.contexts:
            if named.directory:
                files.add_context(named.name, named.directory, _below(named.name, request.contexts_entries))
        directory, name = os.path.split(dockerfile)
        files.add_if_there("dockerfile:", directory, name)
        files.add_if_there("dockerfile:", directory, name + _IGNORE_FILE)
        files.complete = True
    if request.inline is None:  # below a link that is new: of its directory's other files its rules alone are sent
        directory, name = os.path.split(dockerfile)
        dockerfile = os.path.join(_new_link(directory, temporary_directory, "dockerfile"), name)
    root = request.context.root
    kept = None
    place = ContentHashes.of_directory(root).place
    if place and files.complete:
        with contextlib.suppress(OSError):
            kept = _take(place + "." + hashlib.sha256(engine.encode()).hexdigest()[:8], root, files.record)
            _forget_old(place)
    if kept is None:
        yield Sent(dockerfile, _new_link(root, temporary_directory, "source"))
        return
    link, record = kept
    yield Sent(dockerfile, link)
    if files.are_unchanged():  # also where the build failed: BuildKit has what it received
        write_json(link + ".json", {"form": _FORM, "files": record})


class _Files:
    """The files that BuildKit may ask for.

    :ivar complete: whether all that there are were read.
    """

    def __init__(self) -> None:
        self.record: Record = {}
        self.complete = False
        self._hashes: t.Dict[str, ContentHashes] = {}
        self._read: t.List[t.Tuple[ContentHashes, str, str]] = []

    def add_context(self, name: str, directory: str, entries: t.Mapping[str, str]) -> None:
        """
        :raises OSError: one cannot be read, or is not what it was.
        """
        for path, entry in entries.items():
            if entry.startswith("file ") and self.add(name + ":", directory, path) != entry.rpartition(" ")[2]:
                raise OSError("%s is not what it was" % path)
        self.add_if_there(name + ":", directory, _IGNORE_FILE)  # sent by itself as well, also where it excludes itself

    def add_if_there(self, known_by: str, directory: str, path: str) -> None:
        """Likewise one that need not be there, or be what a link leads to.

        :raises OSError: it cannot be read.
        """
        root, full = os.path.realpath(directory), os.path.realpath(os.path.join(directory, path))
        if full.startswith(os.path.join(root, "")) and os.path.isfile(full):
            self.add(known_by, directory, os.path.relpath(full, root))

    def add(self, known_by: str, directory: str, path: str) -> str:
        """
        :returns: its digest.
        :raises OSError: it cannot be read.
        """
        if directory not in self._hashes:
            self._hashes[directory] = ContentHashes.of_directory(directory)
        hashes, full = self._hashes[directory], os.path.join(directory, path)
        status = os.lstat(full)
        digest = hashes.of_file(full, path, status)
        self.record[known_by + path] = {"%d %d" % (status.st_size, status.st_mtime_ns): digest}
        self._read.append((hashes, full, path))
        return digest

    def are_unchanged(self) -> bool:
        """Whether what was sent of them is what was read."""
        try:
            return all(hashes.is_unchanged(full, path) for hashes, full, path in self._read)
        except OSError:
            return False


def _below(name: str, entries: t.Mapping[str, str]) -> t.Dict[str, str]:
    start = name + "/"
    return {path[len(start) :]: entry for path, entry in entries.items() if path.startswith(start)}


def _take(place: str, root: str, files: Record) -> t.Tuple[str, Record]:
    """A link of an engine, and the record of what was sent by it when these files are. While it is used it has no record: that of
    a build that is cut off is lost, and one that runs at the same time gets another link.

    :raises OSError: it cannot be written.
    """
    for path in glob.glob(glob.escape(place) + ".*.json"):
        link = path[: -len(".json")]
        taken = "%s.%s" % (link, secrets.token_hex(4))
        try:
            os.rename(path, taken)
        except FileNotFoundError:
            continue  # another build was faster
        try:
            record = _joined(read_json(taken), files)
        finally:
            os.unlink(taken)
        if record is not None and os.path.islink(link):
            os.utime(link, follow_symlinks=False)
            return link, record
    link = "%s.%s" % (place, secrets.token_hex(8))
    os.symlink(root, link)
    return link, files


def _joined(document: t.Mapping[str, t.Any], files: Record) -> t.Optional[Record]:
    """What was ever sent by a link, with these files: BuildKit may have kept any of it, whatever was left out since. None where
    it would take one of them for another, or where it has become too much.
    """
    record = document.get("files")
    if document.get("form") != _FORM or not isinstance(record, dict):
        return None
    for path, versions in files.items():
        before = record.setdefault(path, {})
        if not isinstance(before, dict) or any(before.get(when, digest) != digest for when, digest in versions.items()):
            return None
        before.update(versions)
    if sum(map(len, record.values())) > 4 * len(files) + 1000:
        return None
    return record


def _forget_old(place: str) -> None:
    """Remove links that nobody used for a month, with their records."""
    # records first: their links tell how old they are
    for path in sorted(glob.glob(glob.escape(place) + ".*"), reverse=True):
        link = path[: -len(".json")] if path.endswith(".json") else path
        with contextlib.suppress(FileNotFoundError):
            if path != place + ".json" and os.lstat(link).st_mtime + _MONTH < time.time():
                os.unlink(path)


def _new_link(directory: str, temporary_directory: str, name: str) -> str:
    link = os.path.join(temporary_directory, name)
    os.symlink(directory, link)
    return link
