# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The program trivy, which is asked for the vulnerabilities of an image. Written for its version 0.65."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.absolute_path import check_absolute
from ansible_collections.longshore.delivery.plugins.module_utils.audit.trivy import TrivyReport
from ansible_collections.longshore.delivery.plugins.module_utils.capability import (
    Completed,
    Context,
    DeliveryError,
    RunCommand,
)

NONE, TRIVY = "none", "trivy"
_TIMED_OUT = re.compile(r"deadline exceeded", re.IGNORECASE)
_NO_DATABASE = re.compile(
    r"cannot be specified on the first run|download vulnerability DB|download artifact|DB error|init(?:ialize)? DB",
    re.IGNORECASE,
)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_SAID = 400  # characters


class TrivyError(DeliveryError):
    """Trivy is not there, or says nothing of an image."""


@dataclasses.dataclass(frozen=True)
class Trivy:
    """The program.

    :param database: the directory with its database, which it neither updates nor writes to; None for its own, which it fetches.
    :param seconds: the most that it may take for an image.
    """

    program: str
    database: t.Optional[str]
    seconds: int
    run_command: RunCommand

    @classmethod
    def from_params(cls, params: t.Mapping[str, t.Any], context: Context) -> t.Optional[Trivy]:
        """The program, if it is asked for.

        :raises TrivyError: it is not installed, or there is no database where one should be.
        """
        if params["vulnerabilities"] != TRIVY:
            return None
        program = shutil.which("trivy")
        if program is None:
            raise TrivyError(
                "'vulnerabilities' is trivy, and there is no program trivy in PATH (%s). Install it where the task runs, or set "
                "'vulnerabilities' to none." % os.environ.get("PATH", "")
            )
        database, seconds = params["trivy_database"], params["trivy_seconds"]
        if seconds < 1:
            raise TrivyError("'trivy_seconds' is %d; give it one second at least." % seconds)
        if database:
            check_absolute("trivy_database", database, TrivyError)
            if not os.path.isfile(os.path.join(database, "db", "trivy.db")):
                raise TrivyError("%s has no db/trivy.db. %s" % (database, _fetched_to(database)))
        return cls(program, database, seconds, context.run_command)

    def report(
        self, image: str, target: t.Sequence[str], environment: t.Mapping[str, str], directory: str
    ) -> TrivyReport:
        """What it says of an image.

        :param image: as messages name it.
        :param target: how it finds it, as arguments.
        :param directory: an empty one, as it takes settings from where it is started.
        :raises TrivyError: it fails.
        """
        # what is found in an image is kept in memory, and nothing of it afterwards
        words = ["image", "--format", "json", "--scanners", "vuln", "--no-progress", "--cache-backend", "memory"]
        words += ["--timeout", "%ds" % self.seconds]
        if self.database:
            words += ["--cache-dir", self.database, "--skip-db-update", "--skip-java-db-update", "--offline-scan"]
        done = self.run_command([self.program, *words, *target], environment=environment, directory=directory)
        if done.rc:
            raise self._failure(image, done)
        return TrivyReport.parse(done.stdout, "what trivy wrote of %s" % image)

    def _failure(self, image: str, done: Completed) -> TrivyError:
        lines = _COLOUR.sub("", done.stderr or done.stdout).splitlines()
        fatal = [line for line in lines if "FATAL" in line]
        said = " ".join(" ".join(lines[lines.index(fatal[0]) :] if fatal else lines[-3:]).split())[:_SAID]
        way_out = ""
        if _TIMED_OUT.search(said):
            way_out = " It may take %d s by 'trivy_seconds': give it more." % self.seconds
        elif _NO_DATABASE.search(said):
            way_out = " " + _fetched_to(self.database or "DIRECTORY")
        return TrivyError("trivy fails at %s (status %d).%s It said: %s" % (image, done.rc, way_out, said))


def _fetched_to(directory: str) -> str:
    return (
        "Fetch its database where the internet can be reached, by 'trivy image --download-db-only --cache-dir %s', bring that "
        "directory to where the task runs, and name it by 'trivy_database'." % directory
    )
