# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The closing table: what was delivered, what holds it, what runs it."""

from __future__ import annotations

from collections.abc import Sequence

from .cluster import Pod
from .holding import Holding


def rows(pods: Sequence[Pod], holding: Holding, address: str) -> list[dict[str, str]]:
    """A row for each image of the release."""
    used = sorted({(container, reference) for pod in pods for container, reference in pod.images.items()})
    table = []
    for container, reference in used:
        name, _at, digest = reference.partition("@")
        mine = [pod for pod in pods if pod.images.get(container) == reference]
        table.append(
            {
                "container": container,
                "image": name,
                "digest": digest[:19],
                "held by": " ".join(holding.hosts(reference)),
                "pods ready": f"{sum(pod.ready for pod in mine)}/{len(mine)}",
                "address": address,
            }
        )
    return table


def show(table: list[dict[str, str]]) -> None:
    if not table:
        print("no pod runs")
        return
    columns = list(table[0])
    widths = {column: max(len(column), *(len(row[column]) for row in table)) for column in columns}
    for row in ({column: column for column in columns}, *table):
        print("  ".join(row[column].ljust(widths[column]) for column in columns).rstrip())
