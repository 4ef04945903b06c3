# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Registries for the images' tests, as the registry client's tests have them."""

from __future__ import annotations

from tests.unit.module_utils.registry.conftest import certificates, registry_program, start_registry

__all__ = ["certificates", "registry_program", "start_registry"]
