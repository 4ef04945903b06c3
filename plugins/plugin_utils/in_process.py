# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This file is PRIVATE to the collection.

"""What a module gets by being a process of its own, for a function that runs in the controller's worker instead."""

from __future__ import annotations

import contextlib
import io
import os
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.interruption import unwound


@contextlib.contextmanager
def as_a_process(directory: str) -> t.Iterator[None]:
    """Give the body its own working directory, environment and standard streams, and let SIGINT and SIGTERM unwind it.

    Without the guard a Ctrl-C ends an Ansible worker before its C(finally) blocks (seen on 2.19 and 2.21).
    """
    here, environment = os.getcwd(), dict(os.environ)
    with unwound():
        try:
            os.chdir(directory)
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                yield
        finally:
            os.chdir(here)
            os.environ.clear()
            os.environ.update(environment)
