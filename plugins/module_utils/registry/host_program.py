# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The program that a host's registry is: what it says of itself, and whether that is what runs."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.capability import RunCommand

# 'docker-registry github.com/docker/distribution v2.8.2+ds1', 'registry github.com/distribution/distribution/v3 v3.1.2'
_SAID = re.compile(r"\S+ \S*\bdistribution\S* (\S+)\s*\Z")
# It is asked as nobody: the registry's user may not be there yet, and a program that is something else is to do no harm. It is
# C(timeout) that starts it: setpriv has root's rights until it has started something.
_AS_NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--", "timeout", "10")
# where the unit sees a directory of its own
_HIDDEN = ("/tmp/", "/var/tmp/")


@dataclasses.dataclass(frozen=True)
class Program:
    """A registry's program on the disk.

    :param identity: of its file, which is another one after every replacement; empty where there is none.
    :param version: as it says itself.
    :param fault: why it cannot be run as a registry, in words behind its path; empty where it can, or is not there.
    """

    path: str = ""
    identity: str = ""
    version: str = ""
    fault: str = ""

    def obstacles(self, is_brought: bool) -> t.List[str]:
        """What keeps it from being run, as sentences with the way out.

        :param is_brought: whether a package that is still to be installed brings it.
        """
        if self.fault:
            return ["registry_program %s %s." % (self.path, self.fault)]
        if not self.path or self.identity or is_brought:
            return []
        return [
            "registry_program %s is not on this host. Put a registry of the distribution project there, or leave the option away "
            "for that of Debian's package." % self.path
        ]


def observe(path: str, run_command: RunCommand) -> Program:
    """Ask the program what it is."""
    if not os.path.isabs(path) or path.startswith(_HIDDEN):
        return Program(path, fault="is no path from / on, outside of /tmp and /var/tmp. Put the program elsewhere")
    identity = identity_of(path)
    if not identity:
        return Program(path)
    asked = run_command([*_AS_NOBODY, path, "--version"])
    said = _SAID.match(asked.stdout)
    if asked.rc or not said:
        words = " ".join((asked.stdout + " " + asked.stderr).split())[:200] or "nothing"
        fault = (
            "is no registry that can be run, since --version makes it say: %s. Give one that everybody may run" % words
        )
        return Program(path, identity, fault=fault.replace(".. ", ". "))
    return Program(path, identity, said[1])


def identity_of(path: str) -> str:
    """File system and number of a file, which no other has while it is there or runs; empty where there is none."""
    with contextlib.suppress(OSError):
        found = os.stat(path)
        if os.path.isfile(path):
            return "%d:%d" % (found.st_dev, found.st_ino)
    return ""


def running(pid: int, proc: str = "/proc") -> str:
    """The identity of the program that a process runs, which may have been replaced or deleted since."""
    with contextlib.suppress(OSError):
        found = os.stat(os.path.join(proc, str(pid), "exe"))
        return "%d:%d" % (found.st_dev, found.st_ino)
    return ""
