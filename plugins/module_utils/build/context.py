# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What a build receives of a directory: paths, modes, targets of links and contents; never times or owners, as BuildKit does."""

from __future__ import annotations

import dataclasses
import errno
import os
import stat
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.content_hashes import (
    ChangedWhileRead,
    ContentHashes,
)
from ansible_collections.longshore.delivery.plugins.module_utils.build.dockerignore import IgnoreRules, ParentMatches
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.printable import printable

_LINKS = 40  # that are followed on the way to one path, as Linux does


class UnreadableContext(DeliveryError):
    """Something in the build's directory cannot be read or sent; the message names it."""


@dataclasses.dataclass(frozen=True)
class BuildContext:
    """The part of a directory that .dockerignore leaves.

    :param root: the directory's absolute path.
    :param entries: each path below it, as C(file MODE SHA256), C(directory MODE) or C(link TARGET).
    """

    root: str
    rules: IgnoreRules
    entries: t.Dict[str, str]

    def resolve(self, path: str) -> str:
        """What a path is with its links followed: for BuildKit the directory is the root of all, also for absolute targets
        and for C(..) above it. A link that leads in a circle is what is left of the path there.
        """
        waiting, done = path.split("/")[::-1], [""]
        followed = 0
        while waiting:
            part = waiting.pop()
            if part == "..":
                done = done[:-1] or [""]
            if part in ("", ".", ".."):
                continue
            here = "/".join([*done, part])[1:]
            entry = self.entries.get(here, "")
            if entry.startswith("link ") and followed < _LINKS:
                followed += 1
                target = entry[len("link ") :]
                done = [""] if target.startswith("/") else done
                waiting += target.split("/")[::-1]
            else:
                done = [*done, part]
        return "/".join(done)[1:]

    def holds(self, path: str) -> bool:
        """Whether a build finds a path."""
        found = self.resolve(path)
        return not found or found in self.entries

    def why_missing(self, path: str) -> str:
        """Why a build does not find a path, and what to do: sentences."""
        found = self.resolve(path)
        kept_out = self.why_kept_out(found)
        if kept_out and os.path.lexists(os.path.join(self.root, found)):
            return "%s is %s" % (found, kept_out)
        if found != path and os.path.exists(os.path.join(self.root, path)):
            return (
                "%s is a link, and a build, for which %s is the root of all, finds no %s there. Copy what it leads to in its "
                "place, or correct the instruction." % (path, self.root, found)
            )
        if found != path:
            return "%s leads by a link to %s, which is not there. Correct the link, or the instruction." % (
                path,
                os.path.join(self.root, found),
            )
        return "there is no %s in %s. Correct the instruction or 'source'." % (found, self.root)

    def why_kept_out(self, path: str) -> str:
        """The pattern that keeps a path out, and what to do: the rest of a sentence. Empty where none does."""
        pattern = self.rules.deciding(path)
        if pattern is None:
            return ""
        return "kept out of the build by %s, line %d: %s. Add !%s below that line, or correct the instruction." % (
            self.rules.name,
            pattern.line,
            pattern.written,
            path,
        )


def read(root: str, rules: IgnoreRules, hashes: ContentHashes) -> BuildContext:
    """Walk a directory and hash what the rules leave.

    :param root: an absolute path.
    :param hashes: those known from before; those found are added.
    :raises UnreadableContext: a directory or file cannot be read, goes away or changes meanwhile, or is neither of them nor a
        link nor a socket.
    """
    walk = _Walk(root, rules, hashes)
    try:
        walk.run()
    except OSError as error:
        raise UnreadableContext(_why_unreadable(error, root)) from None
    return BuildContext(root, rules, walk.entries)


def _why_unreadable(error: OSError, root: str) -> str:
    place = printable(os.fsdecode(error.filename) if error.filename else root)
    if isinstance(error, ChangedWhileRead):
        return (
            "%s changed while it was read. Run it again when nothing writes to it, or name it in .dockerignore." % place
        )
    if isinstance(error, (FileNotFoundError, NotADirectoryError)) or error.errno == errno.ELOOP:
        return (
            "%s went away while the build's directory %s was read. Run it again when nothing changes it, or name it in "
            ".dockerignore." % (place, root)
        )
    if error.errno == errno.ENAMETOOLONG:
        return (
            "%s has a path of %d bytes, which is too long for this system. Shorten its name or that of a directory above, move "
            "it, or name it in .dockerignore." % (place, len(os.fsencode(error.filename or root)))
        )
    return "%s cannot be read: %s. Make it readable, or name it in .dockerignore." % (place, error.strerror or error)


class _Directory(t.NamedTuple):
    """One that is to be looked into.

    :param path: relative to the root; empty is the root.
    :param above: excluded directories on the way here, with their entries: they are sent after all when something in them is.
    """

    path: str
    matched: ParentMatches
    above: t.Tuple[t.Tuple[str, str], ...]


class _Walk:
    def __init__(self, root: str, rules: IgnoreRules, hashes: ContentHashes) -> None:
        self.root = root
        self.rules = rules
        self.hashes = hashes
        self.entries: t.Dict[str, str] = {}
        self.waiting = [_Directory("", None, ())]

    def run(self) -> None:
        while self.waiting:  # a tree may be deeper than calls may
            directory = self.waiting.pop()
            prefix = directory.path + "/" if directory.path else ""
            with os.scandir(os.path.join(self.root, directory.path) if prefix else self.root) as found:
                for child in found:
                    self.child(child, prefix + child.name, directory)

    def child(self, found: os.DirEntry[str], path: str, parent: _Directory) -> None:
        excluded, matches = self.rules.excludes(path, parent.matched)
        is_directory = found.is_dir(follow_symlinks=False)
        if excluded and not (is_directory and self.rules.reopens_below(path)):
            return
        status = found.stat(follow_symlinks=False)
        entry = self.entry(found.path, path, status)
        if entry is None:
            return
        above = parent.above
        if excluded:
            above = (*above, (path, entry))
        else:
            self.entries.update(above)
            self.entries[path] = entry
        if is_directory:
            self.waiting.append(_Directory(path, matches, above))

    def entry(self, full: str, path: str, status: os.stat_result) -> t.Optional[str]:
        mode = stat.S_IMODE(status.st_mode)
        if stat.S_ISREG(status.st_mode):
            return "file %04o %s" % (mode, self.hashes.of_file(full, path, status))
        if stat.S_ISDIR(status.st_mode):
            return "directory %04o" % mode
        if stat.S_ISLNK(status.st_mode):
            return "link %s" % os.readlink(full)
        if stat.S_ISSOCK(status.st_mode):
            return None  # BuildKit leaves sockets out, too
        raise UnreadableContext(
            "%s is %s, which no image can hold. Name it in .dockerignore, or remove it."
            % (printable(full), "a FIFO" if stat.S_ISFIFO(status.st_mode) else "a device")
        )
