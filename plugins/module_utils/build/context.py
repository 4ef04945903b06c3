# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What a build receives of a directory: paths, modes, targets of links and contents; never times or owners, as BuildKit does."""

from __future__ import annotations

import dataclasses
import os
import stat
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.content_hashes import ContentHashes
from ansible_collections.longshore.delivery.plugins.module_utils.build.dockerignore import IgnoreRules, ParentMatches
from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError


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

    def holds(self, path: str) -> bool:
        """Whether a build finds a path, as far as can be told: what lies behind a link is taken to be there."""
        parts = path.split("/")
        above = ("/".join(parts[:end]) for end in range(1, len(parts) + 1))
        return path in self.entries or any(self.entries.get(found, "").startswith("link ") for found in above)


def read(root: str, rules: IgnoreRules, hashes: ContentHashes) -> BuildContext:
    """Walk a directory and hash what the rules leave.

    :param root: an absolute path.
    :param hashes: those known from before; those found are added.
    :raises UnreadableContext: a directory or file cannot be read, or is neither of them nor a link nor a socket.
    """
    walk = _Walk(root, rules, hashes)
    try:
        walk.directory("", None, [])
    except OSError as error:
        raise UnreadableContext(
            "%s cannot be read: %s. Make it readable, or name it in .dockerignore."
            % (error.filename or root, error.strerror or error)
        ) from None
    return BuildContext(root, rules, walk.entries)


class _Walk:
    def __init__(self, root: str, rules: IgnoreRules, hashes: ContentHashes) -> None:
        self.root = root
        self.rules = rules
        self.hashes = hashes
        self.entries: t.Dict[str, str] = {}

    def directory(self, path: str, matched: ParentMatches, above: t.List[t.Tuple[str, str]]) -> None:
        """Go through one directory.

        :param path: relative to the root; empty is the root.
        :param above: excluded directories on the way here, with their entries: they are sent after all when something in them is.
        """
        with os.scandir(os.path.join(self.root, path)) as found:
            children = sorted(found, key=lambda child: child.name)
        prefix = path + "/" if path else ""
        for child in children:
            self.child(child, prefix + child.name, matched, above)

    def child(
        self, found: os.DirEntry[str], path: str, matched: ParentMatches, above: t.List[t.Tuple[str, str]]
    ) -> None:
        excluded, matches = self.rules.excludes(path, matched)
        is_directory = found.is_dir(follow_symlinks=False)
        if excluded and not (is_directory and self.rules.reopens_below(path)):
            return
        status = found.stat(follow_symlinks=False)
        entry = self.entry(found.path, path, status)
        if entry is None:
            return
        if excluded:
            above = [*above, (path, entry)]
        else:
            self.entries.update(above)
            self.entries[path] = entry
        if is_directory:
            self.directory(path, matches, above)

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
            "%s is neither a file nor a directory nor a link, which no image can hold. Name it in .dockerignore, or remove it."
            % full
        )
