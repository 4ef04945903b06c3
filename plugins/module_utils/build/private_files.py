# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""JSON files that only the user reads and that are no loss: caches, and notes of the last build."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import typing as t


def note_path(kind: str, *about: str) -> str:
    """Where a note of a kind about something is, in the user's state directory (XDG_STATE_HOME)."""
    home = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    name = hashlib.sha256("\0".join(about).encode()).hexdigest()[:32]
    return os.path.join(home, "longshore", kind, name + ".json")


def read_json(path: str) -> t.Dict[str, t.Any]:
    """The object in a file; an empty one where the file is missing, unreadable or holds something else."""
    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def write_json(path: str, document: t.Mapping[str, t.Any]) -> bool:
    """Write an object by one rename, readable by the user alone.

    :returns: whether it could be written; a full disk or a read-only home is no reason to fail.
    """
    directory = os.path.dirname(path)
    temporary = None
    try:
        os.makedirs(directory, mode=0o700, exist_ok=True)
        # made by mkstemp: mode 0600
        with tempfile.NamedTemporaryFile("w", dir=directory, prefix=".", delete=False, encoding="utf-8") as file:
            temporary = file.name
            # in one piece, which takes a fifth of the time
            file.write(json.dumps(document, separators=(",", ":")))
        os.replace(temporary, path)
    except OSError:
        return False
    finally:
        if temporary:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
    return True
