# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""An audit as tables for a screen."""

from __future__ import annotations

import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.audit.report import Report
from ansible_collections.longshore.delivery.plugins.module_utils.audit.verdict import Verdict
from ansible_collections.longshore.delivery.plugins.module_utils.counted import counted

_WIDEST = 70  # of an instruction; paths and findings are whole
_UNITS = ("B", "kB", "MB", "GB", "TB")


def lines(report: Report, verdict: Verdict) -> t.Iterator[str]:
    """The layers, what was found, what is excepted, and the totals."""
    yield from _table(
        ("layer", "size", "added", "changed", "deleted", "instruction"),
        [
            (
                str(layer.index),
                size(layer.size),
                str(layer.added),
                str(layer.changed),
                str(layer.deleted),
                layer.instruction if len(layer.instruction) <= _WIDEST else layer.instruction[: _WIDEST - 3] + "...",
            )
            for layer in report.layers
        ],
    )
    if verdict.findings:
        yield ""
        yield from _table(
            ("severity", "rule", "layer", "size", "where and what"),
            [
                (
                    found.severity,
                    found.rule,
                    "" if found.layer is None else str(found.layer),
                    "" if found.bytes is None else size(found.bytes),
                    (found.path + ": " if found.path is not None else "") + found.what + ". " + found.way_out + ".",
                )
                for found in verdict.findings
            ],
        )
    if verdict.excepted:
        yield ""
        for found, reason in verdict.excepted:
            yield "excepted: %s%s (%s)" % (found.rule, " in " + found.path if found.path else "", reason)
    yield ""
    yield "%s in %s, %s of it wasted; %s, %d excepted" % (
        size(report.size),
        counted(len(report.layers), "layer"),
        size(report.wasted),
        counted(len(verdict.findings), "finding"),
        len(verdict.excepted),
    )


def size(count: int) -> str:
    """A number of bytes in powers of 1000, as in '1.5 MB'."""
    value = float(count)
    unit = 0
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value /= 1000
        unit += 1
    return "%d %s" % (count, _UNITS[0]) if unit == 0 else "%.3g %s" % (value, _UNITS[unit])


def _table(head: t.Sequence[str], rows: t.Sequence[t.Sequence[str]]) -> t.Iterator[str]:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head) - 1)]
    for row in (head, *rows):
        cells = [cell.ljust(width) for cell, width in zip(row, widths)]
        yield "  ".join([*cells, row[-1]]).rstrip()
