# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the nodes hold, told by each node's own engines."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from .ad_hoc import script
from .inventory import NODES
from .settings import Settings

SCRIPT = Path(__file__).with_name("holding_script.py")


@dataclass(frozen=True)
class Holding:
    """`held`: names with digest by host; `untold`: why a host or an engine of it does not tell, by host."""

    held: dict[str, frozenset[str]]
    untold: dict[str, str]

    @classmethod
    def of_nodes(cls, settings: Settings) -> Holding:
        """Ask all that images are brought to, in the cluster or not."""
        held, untold = {}, {}
        for host, result in script(settings, NODES, SCRIPT, become=True).results().items():
            try:
                told = json.loads(result["stdout"])
                held[host] = frozenset(told["held"])
                if told["silent"]:
                    untold[host] = "; ".join(told["silent"])
            except (ValueError, LookupError):
                untold[host] = str(result.get("stderr") or result.get("msg") or result)
        return cls(held, untold)

    def hosts(self, reference: str) -> list[str]:
        """The hosts that hold NAME@DIGEST."""
        return sorted(host for host, names in self.held.items() if reference in names)
