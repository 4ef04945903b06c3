# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Where a registry keeps things in its storage. Pure: the layout of distribution 2.8 and 3 (registry/storage/paths.go).

A C(root) is the C(rootdirectory) of the registry's configuration.
"""

from __future__ import annotations

import os


def base(root: str) -> str:
    """The directory that has all of it."""
    return os.path.join(root, "docker", "registry", "v2")


def linked(root: str, repository: str, *parts: str) -> str:
    """A directory of a repository's; a digest is two parts, and the file in it by which something is found is C(link)."""
    return os.path.join(base(root), "repositories", *repository.split("/"), *parts)


def current(root: str, repository: str, tag: str) -> str:
    """The file by which a tag leads to what it does, written at each push of it."""
    return os.path.join(linked(root, repository, "_manifests", "tags", tag), "current", "link")
