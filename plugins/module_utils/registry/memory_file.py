# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""A secret text under a file's name, for what reads files alone, as OpenSSL does certificates with their keys."""

from __future__ import annotations

import contextlib
import os
import tempfile
import typing as t


@contextlib.contextmanager
def file_in_memory(text: str) -> t.Iterator[str]:
    """A file's name for a text that no disk sees; on a system without such files (macOS) the disk does, for this user alone."""
    if not hasattr(os, "memfd_create"):
        with tempfile.NamedTemporaryFile("w") as file:  # of mode 0600
            file.write(text)
            file.flush()
            yield file.name
        return
    descriptor = os.memfd_create("certificate")
    try:
        os.write(descriptor, text.encode())
        yield "/proc/self/fd/%d" % descriptor
    finally:
        os.close(descriptor)
