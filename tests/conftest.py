# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Let every test import the checkout as ansible_collections.longshore.delivery, whatever its directory is called, and let
what hypothesis makes up depend on the test alone: not on the machine's speed, nor on chance, nor on earlier runs.

With C(--hypothesis-profile=exploring), as tests/matrix has it, other examples are made up at each run.

Where processes share the tests, all that needs the lab stays with one of them and in its order, as there is one lab.
"""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

CHECKOUT = Path(__file__).resolve().parent.parent
# which tests need which machine; the first place that fits counts
MACHINES = {
    "tests/integration/registry_role/": "a registry's host",
    "tests/integration/registry_everywhere/": "three hosts of a registry",
    "tests/integration/registry_trust/test_molecule.py": "a container of molecule's",
    "tests/lab/": "the lab",
    "tests/integration/": "the lab",
    "tests/matrix/": "the lab",
}


def _namespace(name: str, path: list[str]) -> None:
    module = sys.modules.get(name)
    if module is None:
        module = types.ModuleType(name)
        sys.modules[name] = module
        parent, dot, child = name.rpartition(".")
        if dot:
            setattr(sys.modules[parent], child, module)
    module.__path__ = path


_namespace("ansible_collections", [])
_namespace("ansible_collections.longshore", [])
_namespace("ansible_collections.longshore.delivery", [str(CHECKOUT)])

settings.register_profile("exploring", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("reproducible", settings.get_profile("exploring"), derandomize=True, database=None)
settings.load_profile("reproducible")


class ByMachine(LoadFileScheduling):
    """Share the tests by file, those that need one machine in one share."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return next((machine for place, machine in MACHINES.items() if file.startswith(place)), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByMachine:
    return ByMachine(config, log)
