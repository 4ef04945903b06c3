# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Whether the registry can keep images in its directory: asked as the user that it runs as, and of the file system."""

from __future__ import annotations

import dataclasses
import os
import pwd
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import RunCommand
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_files import group_name, user_name
from ansible_collections.longshore.delivery.plugins.module_utils.registry.room import existing, free_bytes

# The registry keeps all it has below this directory of its storage (distribution 2.8, registry/storage/paths.go).
STORE = "docker"
_REPOSITORIES = "docker/registry/v2/repositories"
# From there down to the directories by which blobs are spread, and to the uploads of a repository of one word. Deeper ones
# are as many as there are images.
_DEPTH = 5
_NAMED = 3
MIB = 1024 * 1024
# With less left a push fails midway; how much would be enough is not for the role to know.
LEAST_FREE_BYTES = 16 * MIB
# With less left of both it is said, so that there is time to make room. A small share of a large disk is enough for many images.
LITTLE_FREE_BYTES, LITTLE_FREE_PERCENT = 20 * 1024 * MIB, 10


@dataclasses.dataclass(frozen=True)
class Data:
    """What the registry's user finds at the place for the images.

    :param has_user: whether that user exists.
    :param stored: whether a registry has kept something there already.
    :param closed: the directory on the way that the user may not enter; empty when there is none.
    :param unwritable: directories of the store that the user may not list, enter or write to, with their owners, in words.
    :param before: the directory where the registry has kept images until now, if that is another one.
    :param mount: where the file system is mounted.
    :param free_bytes: what is left for users other than root; C(free_files) likewise. -1 where it is not known.
    :param all_bytes: how large the file system is; C(free_bytes) is a share of it.
    :param reader: a user who has to read what is kept there, beside C(user); empty for none.
    :param unread: the directory on the way that the reader may not enter; empty when there is none.
    :param in_volume: whether it is the directory of a volume of an engine's.
    """

    path: str = ""
    user: str = ""
    has_user: bool = True
    stored: bool = False
    closed: str = ""
    unwritable: t.Tuple[str, ...] = ()
    mount: str = ""
    read_only: bool = False
    free_bytes: int = -1
    free_files: int = -1
    before: str = ""
    all_bytes: int = 0
    reader: str = ""
    unread: str = ""
    in_volume: bool = False

    @property
    def is_short_of_room(self) -> bool:
        share = self.free_bytes * 100 < self.all_bytes * LITTLE_FREE_PERCENT
        return share and 0 <= self.free_bytes < LITTLE_FREE_BYTES

    @property
    def obstacles(self) -> t.List[str]:
        """Why no images can be kept there, as sentences with the way out."""
        where = "The images are to be in registry_data %s, and " % self.path
        if self.read_only:
            return [
                where
                + "the file system there (mounted at %s) is read-only. Mount it for writing, or set another place."
                % self.mount
            ]
        if self.free_files == 0 or 0 <= self.free_bytes < LEAST_FREE_BYTES:
            left = "no file" if self.free_files == 0 else "%d MiB" % (self.free_bytes // MIB)
            return [
                where
                + "the file system there (mounted at %s) has %s left for %s. Make room (%d MiB at least), or set another "
                "place." % (self.mount, left, self.user, LEAST_FREE_BYTES // MIB)
            ]
        if self.closed:
            return [
                where
                + "the registry's user %s may not enter %s on the way there. Let it (chmod o+x %s), or set another place."
                % (self.user, self.closed, self.closed)
            ]
        if self.unread:
            way_out = (
                "its engine keeps that closed. Set registry_data to a directory elsewhere, without registry_volume"
                if self.in_volume
                else "else old images could replace new ones. Let it (chmod o+x %s), or set another place" % self.unread
            )
            return [
                "The peers of this registry (registry_peers) are told what is in registry_data %s by nginx, and its user %s may "
                "not enter %s on the way there: %s." % (self.path, self.reader, self.unread, way_out)
            ]
        return []


def observe_user(user: str) -> Data:
    """Look for the user alone, where the images are in no directory."""
    try:
        pwd.getpwnam(user)
    except KeyError:
        return Data(user=user, has_user=False)
    return Data(user=user)


def observe(
    path: str, user: str, run_command: RunCommand, in_volume: bool = False, before: str = "", reader: str = ""
) -> Data:
    """Look at the place for the images, which may not be there yet; nor may the user.

    :param in_volume: whether the user is given it by an engine, and so need not come there from the root.
    :param before: the directory where the registry has kept its images until now, as far as that is known.
    :param reader: who has to read them beside the user, and come there from the root.
    """
    place = existing(path)
    system = os.statvfs(place)
    found = Data(
        path=path,
        user=user,
        stored=os.path.isdir(os.path.join(path, STORE)),
        mount=_mount(place),
        read_only=bool(system.f_flag & os.ST_RDONLY),
        free_bytes=free_bytes(system),
        free_files=system.f_favail if system.f_files else -1,
        before=before if before not in ("", path) and os.path.isdir(os.path.join(before, STORE)) else "",
        all_bytes=system.f_blocks * system.f_frsize,
        reader=reader,
        unread=_unread(path, reader, run_command) if reader else "",
        in_volume=in_volume,
    )
    try:
        group = pwd.getpwnam(user).pw_gid
    except KeyError:  # neither the package nor the role has made it yet
        return dataclasses.replace(found, has_user=False)
    person = _Person(user, group, run_command)
    if found.stored:
        unwritable, was_reached = _unwritable(os.path.join(path, STORE), person, in_volume)
        if was_reached:
            return dataclasses.replace(found, unwritable=tuple(unwritable))
    if in_volume:
        return found
    return dataclasses.replace(found, closed=_closed(os.path.dirname(path), person))


@dataclasses.dataclass(frozen=True)
class _Person:
    """Runs commands with the rights of a user: the kernel's own answer, with access lists and mounts considered."""

    name: str
    group: int
    run_command: RunCommand

    def find(self, *arguments: str, directory: t.Optional[str] = None) -> t.Tuple[t.List[str], bool]:
        """The paths that C(find) names, and whether it came everywhere. It begins where root has put it."""
        rights = ["setpriv", "--reuid", self.name, "--regid", str(self.group), "--init-groups", "--"]
        asked = self.run_command([*rights, "find", *arguments], directory=directory)
        return [path for path in asked.stdout.split("\0") if path], not asked.rc


def _mount(path: str) -> str:
    path = os.path.realpath(path)
    while not os.path.ismount(path):
        path = os.path.dirname(path)
    return path


def _unwritable(store: str, person: _Person, from_there: bool) -> t.Tuple[t.List[str], bool]:
    """The topmost directories of the store that the user cannot use, in words, and whether the user came there at all."""
    unusable = ["(", "!", "-writable", "-o", "!", "-readable", "-o", "!", "-executable", ")"]
    asked = ["-maxdepth", str(_DEPTH), "-type", "d", *unusable, "-print0", "-prune"]
    if from_there:
        found, came_everywhere = person.find(".", *asked, directory=store)
        found = [os.path.normpath(os.path.join(store, path)) for path in found]
    else:
        found, came_everywhere = person.find(store, *asked)
    said = [
        "%s cannot write to %s, which belongs to %s" % (person.name, path, _owners(path)) for path in found[:_NAMED]
    ]
    if len(found) > _NAMED:
        said.append("%s cannot write to %d further directories there" % (person.name, len(found) - _NAMED))
    return said, came_everywhere or bool(found)


def _closed(directory: str, person: _Person, but_for: str = "") -> str:
    """The first directory from the root to this one, as far as it is there, that the user may not enter.

    :param but_for: one on the way that is not asked for.
    """
    ways = [existing(directory)]
    while ways[-1] != "/":
        ways.append(os.path.dirname(ways[-1]))
    asked = [way for way in reversed(ways) if way != but_for]
    found, _came_everywhere = person.find(*asked, "-maxdepth", "0", "!", "-executable", "-print0")
    return found[0] if found else ""


def _unread(path: str, reader: str, run_command: RunCommand) -> str:
    """Where somebody who only reads is stopped. The place itself is given its mode by the role."""
    try:
        person = _Person(reader, pwd.getpwnam(reader).pw_gid, run_command)
    except KeyError:  # who comes with a package that is not there yet
        return ""
    return _closed(os.path.join(path, _REPOSITORIES), person, os.path.normpath(path))


def _owners(path: str) -> str:
    found = os.stat(path)
    return "%s:%s, mode %04o" % (user_name(found.st_uid), group_name(found.st_gid), found.st_mode & 0o7777)


def warnings(found: Data, endpoint: str) -> t.List[str]:
    """That images stay where they were, and that there will soon be no room for more."""
    said = []
    if found.is_short_of_room:
        said.append(
            "Registry %s has %.1f GiB left for its images, %d %% of the file system of registry_data %s (mounted at %s): once "
            "it is full no push works. Make room there, have garbage collected (registry_collect), or remove images "
            "(longshore.delivery.registry_prune)."
            % (
                endpoint,
                found.free_bytes / (1024 * MIB),
                found.free_bytes * 100 // found.all_bytes,
                found.path,
                found.mount,
            )
        )
    if not found.before:
        return said
    return [
        *said,
        "Registry %s has kept its images in %s, and is to keep them in %s: they do not move. What is not pushed again "
        "or copied over (longshore.delivery.image_copy) is not served any more; it stays where it is."
        % (endpoint, found.before, found.path),
    ]
