# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""The twelve factors (https://12factor.net): which of them a trial has shown, and how; which it has not, and why."""

from __future__ import annotations

import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.trial.verdicts import FAIL, NOT_ASKED, PASS, Verdict

NOT_CLAIMED = "not claimed"

# number, name, the points that show it, and how they do; or why no image can show it
_FACTORS: t.Tuple[t.Tuple[int, str, t.Tuple[str, ...], str], ...] = (
    (1, "Codebase", (), "one codebase with many deploys is a matter of the repository"),
    (2, "Dependencies", ("starts",), "started with nothing of the host's: no file of it, no capability added"),
    (3, "Config", ("required_env", "changed_env"), "started with variables missing and changed"),
    (4, "Backing services", (), "a service has to be there to be exchanged for another"),
    (5, "Build, release, run", (), "how a release is made and kept is a matter of the pipeline"),
    (6, "Processes", ("transient",), "run with a read-only root file system, ended and started again"),
    (7, "Port binding", ("listens",), "asked at its port"),
    (8, "Concurrency", ("copies",), "run twice at the same time"),
    (9, "Disposability", ("starts", "stops"), "its start and its end awaited and measured"),
    (10, "Dev/prod parity", (), "one image shows nothing of how environments differ"),
    (11, "Logs", ("logs",), "stdout, stderr and what it wrote to files looked at"),
    (12, "Admin processes", (), "a command of the application's own is known only to its makers"),
)


def twelve_factors(verdicts: t.Sequence[Verdict]) -> t.List[t.Dict[str, t.Any]]:
    """The table, a row for each factor.

    A factor fails with any of its points, and passes only when one passed that shows it and none failed.
    """
    rows = []
    for number, name, kinds, how in _FACTORS:
        found = [verdict for verdict in verdicts if verdict.point.kind in kinds]
        asked = [verdict for verdict in found if verdict.verdict != NOT_ASKED]
        if not kinds:
            verdict = NOT_CLAIMED
        elif not asked or (name == "Disposability" and len(asked) < len(found)):
            verdict = NOT_ASKED
        else:
            verdict = PASS
        if any(entry.verdict == FAIL for entry in asked):
            verdict = FAIL
        if verdict == FAIL:
            how = "; ".join(entry.detail for entry in asked if entry.verdict == FAIL)
        elif verdict == NOT_ASKED:
            how = "; ".join(entry.detail for entry in found if entry.verdict == NOT_ASKED)
        rows.append({"factor": number, "name": name, "verdict": verdict, "how": how})
    return rows


def lines(rows: t.Sequence[t.Mapping[str, t.Any]]) -> t.List[str]:
    """The table for a screen."""
    return ["%4d %-20s %-11s %s" % (row["factor"], row["name"], row["verdict"], row["how"]) for row in rows]
