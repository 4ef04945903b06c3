# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The paths by which BuildKit is given directories.

It keeps what it received under a directory's path, and asks next time only for files whose size, mode or modification time differ
(seen with the engines 20.10 and 26.1): one that was edited and given its old time back, as rsync, git-restore-mtime and others
do, would be built as it was before. Under a path that it does not know it asks for everything.
"""

from __future__ import annotations

import contextlib
import dataclasses
import glob
import hashlib
import os
import time

from ansible_collections.longshore.delivery.plugins.module_utils.build.builder import BuildRequest
from ansible_collections.longshore.delivery.plugins.module_utils.build.content_hashes import ContentHashes

_MONTH = 30 * 24 * 3600  # seconds


@dataclasses.dataclass(frozen=True)
class Sent:
    """What a build is given.

    :param dockerfile: the path of the Dockerfile.
    :param root: the build's directory. By its path BuildKit knows named contexts' directories again, too.
    """

    dockerfile: str
    root: str


def sent(request: BuildRequest, temporary_directory: str) -> Sent:
    """The paths for a build whose directories were just read.

    :param temporary_directory: for links that this build alone needs.
    """
    dockerfile = request.dockerfile_in(temporary_directory)
    if request.inline is None:  # below a link that is new: of its directory's other files its rules alone are sent
        directory, name = os.path.split(dockerfile)
        dockerfile = os.path.join(_new_link(directory, temporary_directory, "dockerfile"), name)
    root = request.context.root
    read = [ContentHashes.of_directory(each.directory) for each in request.contexts if each.directory]
    read.insert(0, ContentHashes.of_directory(root))
    place = read[0].place
    if place and all(each.place for each in read):
        generation = hashlib.sha256("\0".join(each.generation for each in read).encode()).hexdigest()[:16]
        link = "%s.%s" % (place, generation)
        with contextlib.suppress(OSError):
            _keep(link, root)
            return Sent(dockerfile, link)
    return Sent(dockerfile, _new_link(root, temporary_directory, "source"))


def _keep(link: str, root: str) -> None:
    """Have a link that stays, in place of those of a month ago that nobody used since: other builds have others."""
    with contextlib.suppress(FileExistsError):
        os.symlink(root, link)
    os.utime(link, follow_symlinks=False)
    for other in glob.glob(glob.escape(link.rpartition(".")[0]) + ".[0-9a-f]*"):
        if os.path.islink(other) and os.lstat(other).st_mtime + _MONTH < time.time():
            os.unlink(other)


def _new_link(directory: str, temporary_directory: str, name: str) -> str:
    link = os.path.join(temporary_directory, name)
    os.symlink(directory, link)
    return link
