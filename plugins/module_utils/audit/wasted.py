# Copyright (c) 2026, longshore contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection.

"""Bytes that one layer ships and a later one hides, for each two layers where they are worth a finding."""

from __future__ import annotations

import typing as t

from ansible_collections.longshore.delivery.plugins.module_utils.audit.finding import Finding, finding
from ansible_collections.longshore.delivery.plugins.module_utils.audit.history import HistoryStep
from ansible_collections.longshore.delivery.plugins.module_utils.audit.merged import Hidden, Merged
from ansible_collections.longshore.delivery.plugins.module_utils.printable import printable

WORTH_SAYING = 1_000_000  # bytes between two layers; what is less is in the total alone
_OF_IMAGE = 200  # and as this part of the image's bytes, if that is more: half a percent
_SHOWN = 3  # files besides the largest

_DELETED = "Delete it in the RUN that made it, or make it in a stage of its own"
_COPIED = "Write it once, with its owner and mode (COPY --chown, --chmod)"
_BY_RUN = "Start from a newer base, or do it in the RUN that wrote it"


def wasted(merged: Merged, history: t.Sequence[HistoryStep], size: int) -> t.Iterator[Finding]:
    """
    :param size: the bytes of the image's files.
    """
    keywords = {step.layer: step.keyword for step in history}
    pairs: t.Dict[t.Tuple[int, int], t.List[Hidden]] = {}
    for file in merged.hidden:
        if file.size:
            pairs.setdefault((file.layer, file.by), []).append(file)
    for (index, by), files in sorted(pairs.items()):
        total = sum(file.size for file in files)
        if total < WORTH_SAYING or total * _OF_IMAGE < size:
            continue
        files.sort(key=lambda file: (-file.size, file.path))
        yield finding(
            "wasted_bytes", _what(by, files), _way_out(files, keywords, index, by), index, files[0].path, total
        )


def _what(by: int, files: t.Sequence[Hidden]) -> str:
    what = "layer %d %s it" % (by, "deletes" if files[0].deleted else "overwrites")
    if len(files) == 1:
        return what
    others = ["%s (%.1f MB)" % (printable(file.path), file.size / 1e6) for file in files[1 : _SHOWN + 1]]
    return "%s (%.1f MB) and %d more, as %s" % (what, files[0].size / 1e6, len(files) - 1, ", ".join(others))


def _way_out(files: t.Sequence[Hidden], keywords: t.Mapping[t.Optional[int], str], index: int, by: int) -> str:
    """By what most of the bytes are: deleted, or written again by this or that instruction."""
    deleted = sum(file.size for file in files if file.deleted)
    if 2 * deleted > sum(file.size for file in files):
        return _DELETED
    is_copied = keywords.get(index) in ("COPY", "ADD") or keywords.get(by) != "RUN"
    return _COPIED if is_copied else _BY_RUN
