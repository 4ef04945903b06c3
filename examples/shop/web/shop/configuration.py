# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the application is told by its environment, read once, before anything else happens."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

EXIT_CODE = 78  # sysexits.h: EX_CONFIG
LOG_LEVELS = ("debug", "info", "warning", "error")


class ConfigurationError(Exception):
    """What is missing or wrong in the environment: every variable at fault by name, never a secret's value."""


@dataclass(frozen=True)
class Configuration:
    """All settings; seconds are floats, `ready_header` is (name, value) or None for no such demand."""

    port: int
    greeting: str
    log_level: str
    warmup_seconds: float
    drain_seconds: float
    threads: int
    ready_header: tuple[str, str] | None
    database_path: str
    database_password: str = field(repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Configuration:
        """Read the variables; ConfigurationError names all that are wrong, not only the first."""
        faults: list[str] = []

        def number(name: str, default: str, low: float, high: float) -> float:
            text = environment.get(name, default)
            try:
                value = float(text)
            except ValueError:
                value = math.nan
            if not low <= value <= high:
                faults.append(f"{name} is {text!r}, it must be a number from {low:g} to {high:g}")
            return value

        def whole(name: str, default: str, low: int, high: int) -> int:
            value = number(name, default, low, high)
            if low <= value <= high and value != int(value):
                faults.append(f"{name} is {environment[name]!r}, it must be a whole number")
            return int(value) if low <= value <= high else low

        password = environment.get("DB_PASSWORD", "")
        if not password:
            faults.append("DB_PASSWORD is not set, it must be the database's password (a secret)")
        log_level = environment.get("LOG_LEVEL", "info").lower()
        if log_level not in LOG_LEVELS:
            faults.append(f"LOG_LEVEL is {log_level!r}, it must be one of {', '.join(LOG_LEVELS)}")
        name, colon, value = environment.get("READY_HEADER", "").partition(":")
        if name and not colon:
            faults.append(f"READY_HEADER is {name!r}, it must look like 'Name: value'")
        settings = cls(
            port=whole("PORT", "8080", 1, 65535),
            greeting=environment.get("GREETING", "Welcome to the shop"),
            log_level=log_level,
            warmup_seconds=number("WARMUP_SECONDS", "1", 0, math.inf),
            drain_seconds=number("DRAIN_SECONDS", "20", 0, 3600),
            threads=whole("THREADS", "8", 1, 256),
            ready_header=(name.strip(), value.strip()) if name else None,
            database_path=environment.get("DATABASE_PATH", "/tmp/shop.sqlite3"),
            database_password=password,
        )
        if faults:
            raise ConfigurationError("; ".join(faults))
        return settings
