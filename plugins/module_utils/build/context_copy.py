# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The context of a build, handed on as it was read: for builders that would read .dockerignore by rules of their own."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.build.context import BuildContext, UnreadableContext

_IGNORE_FILE = ".dockerignore"


def copy_context(context: BuildContext, directory: str) -> None:
    """Copy it into an empty directory: contents, modes, times and the targets of links.

    :raises UnreadableContext: something of it is gone, or there is no space.
    """
    directories = []
    try:
        for path, entry in context.entries.items():
            original, copied = os.path.join(context.root, path), os.path.join(directory, path)
            if entry.startswith("link "):
                os.symlink(entry[len("link ") :], copied)
            elif entry.startswith("directory "):
                os.mkdir(copied)
                directories.append((original, copied))
            else:
                shutil.copy2(original, copied, follow_symlinks=False)
        for original, copied in reversed(
            directories
        ):  # a directory's time is that of its last entry, and it may be read-only
            shutil.copystat(original, copied)
    except OSError as error:
        raise _unreadable(context, error) from None


def write_archive(context: BuildContext, dockerfile: str, file: t.IO[bytes]) -> str:
    """Write it as a tar, with the Dockerfile where it is no part of it. Owners are root, as with the docker command.

    The engine takes the Dockerfile and .dockerignore out of what it copies where .dockerignore says so, and only then. So a
    Dockerfile that is no part of the context is named in the archive's .dockerignore, with that file itself where it is no part.

    :param dockerfile: the path of the file to send.
    :returns: the Dockerfile's name in the archive.
    :raises UnreadableContext: something of it is gone, or there is no space.
    """
    own = os.path.relpath(dockerfile, context.root)
    name = own if own in context.entries else ".longshore.Dockerfile"
    try:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for path in context.entries:
                if path != _IGNORE_FILE or name == own:
                    archive.add(os.path.join(context.root, path), path, recursive=False, filter=_of_root)
            if name != own:
                archive.add(dockerfile, name, recursive=False, filter=_of_root)
                _add(archive, _IGNORE_FILE, _ignoring(context, name))
    except OSError as error:
        raise _unreadable(context, error) from None
    file.seek(0)
    return name


def _ignoring(context: BuildContext, name: str) -> bytes:
    if _IGNORE_FILE not in context.entries:
        return ("%s\n%s\n" % (_IGNORE_FILE, name)).encode()
    with open(os.path.join(context.root, _IGNORE_FILE), "rb") as file:
        return b"%s\n%s\n" % (file.read().rstrip(b"\n"), name.encode())


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o644
    archive.addfile(member, io.BytesIO(content))


def _of_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def _unreadable(context: BuildContext, error: OSError) -> UnreadableContext:
    return UnreadableContext(
        "%s cannot be handed to the builder: %s. See that there is space for a copy of %s, and that nothing in it is removed "
        "meanwhile." % (error.filename or context.root, error.strerror or error, context.root)
    )
