# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Let every test import the checkout as ansible_collections.longshore.delivery, whatever its directory is called, and let
what hypothesis makes up depend on the test alone: not on the machine's speed, nor on chance, nor on earlier runs.

With C(--hypothesis-profile=exploring), as tests/matrix has it, other examples are made up at each run.

Where processes share the tests, all that needs the lab stays with one of them and in its order, as there is one lab.

A failure is shown when it happens, as a run may be ended before its summary.
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
LINES_AT_ONCE = 60
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


class AtOnce:
    """Shows each failure when it happens; the process that runs the tests tells it to the one that prints."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if report.failed and reporter:
            reporter.write_line("")
            reporter.write_line(
                "FAILED %s (%s, after %.0f s)" % (report.nodeid, report.when, report.duration), red=True
            )
            reporter.write_line("\n".join(report.longreprtext.splitlines()[-LINES_AT_ONCE:]))


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(AtOnce(config), "failures at once")
