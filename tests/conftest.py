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
NEED_THE_LAB = ("tests/lab/", "tests/integration/", "tests/matrix/")


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


class OneLab(LoadFileScheduling):
    """Share the tests by file, with all that needs the lab in one share."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return "lab" if file.startswith(NEED_THE_LAB) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OneLab:
    return OneLab(config, log)
