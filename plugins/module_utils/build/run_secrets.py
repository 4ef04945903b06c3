# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Secrets and SSH agents that RUN instructions may mount."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Context

_LONGEST = 65536  # bytes of a file that is masked


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


def conceal(secrets: t.Iterable[Secret], context: Context) -> None:
    """Mask what a RUN instruction may write of secrets that are in a file or a variable; those in an option are masked already.

    One that cannot be read is none that a build could have.
    """
    for secret in secrets:
        text = os.environ.get(secret.env or "", "")
        if secret.file is not None:
            with contextlib.suppress(OSError), open(secret.file, encoding="utf-8", errors="surrogateescape") as file:
                text = file.read(_LONGEST)
        context.conceal(text)


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
