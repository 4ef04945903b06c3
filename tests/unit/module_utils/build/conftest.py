# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Registries for the tests of what is built into them, as the registry client's tests have them."""

from __future__ import annotations

from tests.unit.module_utils.registry.conftest import registry_program, start_registry

__all__ = ["registry_program", "start_registry"]
