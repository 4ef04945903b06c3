# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The detectors, where their package is."""

from __future__ import annotations

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.audit.detectors import Detectors
from ansible_collections.longshore.delivery.plugins.module_utils.audit.secret_scan import SecretScan
from tests.unit.module_utils.registry.conftest import registry_program, start_registry

__all__ = ["registry_program", "start_registry"]


@pytest.fixture(scope="session")
def detectors() -> Detectors:
    pytest.importorskip("detect_secrets", reason="the package detect-secrets is not in this environment: make venv")
    return Detectors()


@pytest.fixture(scope="session")
def scan(detectors: Detectors) -> SecretScan:
    return SecretScan(detectors)
