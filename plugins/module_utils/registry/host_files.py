# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Files and directories of a registry's host: what they should be, what they are, and how the two differ."""

from __future__ import annotations

import contextlib
import dataclasses
import grp
import hashlib
import os
import pwd
import stat
import typing as t

FILE = "file"
DIRECTORY = "directory"
ABSENT = "absent"
_OTHER = "other"
SPEC: t.Dict[str, t.Any] = {
    "type": "list",
    "elements": "dict",
    "options": {
        "path": {"type": "str", "required": True},
        "kind": {"type": "str", "choices": [FILE, DIRECTORY, ABSENT], "default": FILE},
        "owner": {"type": "str", "default": "root"},
        "group": {"type": "str", "default": "root"},
        "mode": {"type": "str", "default": "0644"},
        "sha256": {"type": "str", "default": ""},
        "read_by": {"type": "str", "default": ""},
        "mark": {"type": "str", "default": ""},
        "needed": {"type": "bool", "default": False},
    },
}
SECRET_TEXTS_SPEC: t.Dict[str, t.Any] = {
    "type": "list",
    "elements": "dict",
    "default": [],
    "no_log": False,
    "options": {
        "path": {"type": "str", "required": True},
        "text": {"type": "str", "required": True, "no_log": True},
    },
}


@dataclasses.dataclass(frozen=True)
class WantedFile:
    """A file or directory as it should be.

    :param kind: C(file), C(directory), or C(absent) for what should not be there (any more).
    :param sha256: empty where only owner and mode count (and the file may be missing).
    :param read_by: the unit that reads the file when it starts or reloads, and so has to when its content was another.
    :param needed: whether it may not be missing, whatever it holds.
    :param mark: with C(absent), how the file begins if it is one of this role's; any other stays where it is.
    """

    path: str
    kind: str
    owner: str
    group: str
    mode: str
    sha256: str = ""
    read_by: str = ""
    mark: str = ""
    needed: bool = False


@dataclasses.dataclass(frozen=True)
class FoundFile:
    """What is there: C(kind) is empty when nothing is.

    :param owner: the owner's name, or number where it has none; C(group) likewise.
    :param changed_at: when content, owner or mode last changed, in seconds since the epoch.
    :param marked: whether it begins with the wanted file's mark.
    """

    kind: str = ""
    uid: int = 0
    gid: int = 0
    owner: str = ""
    group: str = ""
    mode: int = 0
    sha256: str = ""
    changed_at: float = 0.0
    marked: bool = False


NOTHING = FoundFile()


def with_texts(files: t.Iterable[WantedFile], texts: t.Mapping[str, str]) -> t.Tuple[WantedFile, ...]:
    """The files, in their order, of which some are to have these texts, by path.

    By the digest of a secret text a weak password could be guessed, so it is worked out here, and told to nobody.
    """
    return tuple(
        dataclasses.replace(file, sha256=hashlib.sha256(encoded(texts[file.path])).hexdigest())
        if file.path in texts
        else file
        for file in files
    )


def encoded(text: str) -> bytes:
    """The bytes of a text of a task's options."""
    return text.encode("utf-8", "surrogateescape")


def find(wanted: WantedFile) -> FoundFile:
    """Look at one path. A link counts as what it leads to."""
    try:
        found = os.stat(wanted.path)
    except (FileNotFoundError, NotADirectoryError):
        return FoundFile(_OTHER) if os.path.lexists(wanted.path) else NOTHING
    kind = DIRECTORY if stat.S_ISDIR(found.st_mode) else FILE if stat.S_ISREG(found.st_mode) else _OTHER
    content = content_of(wanted.path) if kind == FILE and (wanted.sha256 or wanted.mark) else b""
    return FoundFile(
        kind=kind,
        uid=found.st_uid,
        gid=found.st_gid,
        owner=user_name(found.st_uid),
        group=group_name(found.st_gid),
        mode=stat.S_IMODE(found.st_mode),
        sha256=hashlib.sha256(content).hexdigest() if wanted.sha256 else "",
        changed_at=found.st_ctime,
        marked=content.startswith(wanted.mark.encode()),
    )


def differences(wanted: WantedFile, found: FoundFile) -> t.List[str]:
    """What tells a file from the wanted one, in words."""
    if wanted.kind == ABSENT:
        return ["%s is not wanted any more" % wanted.path] if found.kind and found.marked else []
    if not found.kind:
        return ["%s is missing" % wanted.path] if wanted.needed or wanted.sha256 or wanted.kind == DIRECTORY else []
    said = []
    if (found.owner, found.group) != (wanted.owner, wanted.group):
        said.append("%s belongs to %s:%s" % (wanted.path, found.owner, found.group))
    if found.mode != int(wanted.mode, 8):
        said.append("%s has mode %04o" % (wanted.path, found.mode))
    if has_another_content(wanted, found):
        said.append("%s has another content" % wanted.path)
    return said


def has_another_content(wanted: WantedFile, found: FoundFile) -> bool:
    """Whether the file is there with another content than the wanted one, where the content counts."""
    return bool(wanted.sha256 and found.kind) and found.sha256 != wanted.sha256


def misplacement(wanted: WantedFile, found: FoundFile) -> str:
    """Where a directory is to be and something else is, or the other way round; empty where nothing is in the way."""
    if wanted.kind == ABSENT or found.kind in ("", wanted.kind):
        return ""
    return "%s is to be a %s and is none" % (wanted.path, wanted.kind)


def user_name(number: int) -> str:
    with contextlib.suppress(KeyError):
        return pwd.getpwuid(number).pw_name
    return str(number)


def group_name(number: int) -> str:
    with contextlib.suppress(KeyError):
        return grp.getgrgid(number).gr_name
    return str(number)


def content_of(path: str) -> bytes:
    """What a file holds; nothing where there is none."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError), open(path, "rb") as stream:
        return stream.read()
    return b""
