# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a play for a host would see of the example's variables: python shop_variables.py HOST INVENTORY... prints JSON.

A program of its own, because Ansible's plugin loader takes over the import of collections in its process.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def variables_of(host: str, *sources: Path) -> dict[str, Any]:
    """The variables of a host, templates resolved, and as `hosts` the names of all hosts of the inventories."""
    command = [sys.executable, __file__, host, *(str(source) for source in sources)]
    result: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return result


def main(host: str, sources: list[str]) -> None:
    from ansible.inventory.manager import InventoryManager
    from ansible.parsing.dataloader import DataLoader
    from ansible.plugins.loader import init_plugin_loader
    from ansible.template import Templar
    from ansible.vars.manager import VariableManager

    init_plugin_loader()
    loader = DataLoader()
    inventory = InventoryManager(loader=loader, sources=sources)
    values = VariableManager(loader=loader, inventory=inventory).get_vars(host=inventory.get_host(host))
    templar = Templar(loader=loader, variables=values)
    names = [name for name in values if name.startswith(("longshore_", "shop_"))]
    result = {name: templar.template(values[name]) for name in names}
    print(json.dumps({**result, "hosts": [found.name for found in inventory.get_hosts()]}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
