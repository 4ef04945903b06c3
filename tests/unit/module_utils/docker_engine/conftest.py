# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers and certificates for the engine's tests, as the registry client's tests have them."""

from __future__ import annotations

from tests.unit.module_utils.registry.conftest import certificates, listening, serve

__all__ = ["certificates", "listening", "serve"]
