# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Secrets and SSH agents that RUN instructions may mount."""

from __future__ import annotations

import dataclasses
import os
import typing as t


@dataclasses.dataclass(frozen=True)
class Secret:
    """A secret that RUN instructions may mount: its value comes from a file, an environment variable or the options."""

    id: str
    file: t.Optional[str] = None
    env: t.Optional[str] = None
    value: t.Optional[str] = dataclasses.field(default=None, repr=False)

    def file_in(self, directory: str) -> str:
        """The path of a file with it, written into this private directory where it is in none."""
        if self.file is not None:
            return self.file
        path = os.path.join(directory, "secret-" + self.id)
        value = self.value if self.value is not None else os.environ[self.env or ""]
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as written:
            written.write(value.encode("utf-8", "surrogateescape"))
        return path


@dataclasses.dataclass(frozen=True)
class SshAgent:
    """An SSH agent that RUN instructions may mount.

    :param path: of its socket, or of a private key without passphrase; empty for the agent of the environment (SSH_AUTH_SOCK).
    """

    id: str
    path: str = ""

    @property
    def option(self) -> str:
        """As the builders' commands have it."""
        return "%s=%s" % (self.id, self.path) if self.path else self.id
