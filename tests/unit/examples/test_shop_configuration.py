# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from shop.configuration import Configuration, ConfigurationError

SECRET = "s3cret-value"


def test_defaults() -> None:
    settings = Configuration.from_environment({"DB_PASSWORD": SECRET})
    assert (settings.port, settings.log_level, settings.threads, settings.ready_header) == (8080, "info", 8, None)


def test_the_password_is_not_shown() -> None:
    settings = Configuration.from_environment({"DB_PASSWORD": SECRET})
    assert settings.database_password == SECRET
    assert SECRET not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "80.5"),
        ("PORT", "nan"),
        ("PORT", "tcp://10.92.0.7:8080"),
        ("THREADS", "0"),
        ("THREADS", "inf"),
        ("WARMUP_SECONDS", "-1"),
        ("WARMUP_SECONDS", "nan"),
        ("DRAIN_SECONDS", "inf"),
        ("LOG_LEVEL", "loud"),
        ("READY_HEADER", "X-Probe"),
    ],
)
def test_a_wrong_variable_is_named_with_its_value(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name} is ") as caught:
        Configuration.from_environment({"DB_PASSWORD": SECRET, name: value})
    assert repr(value) in str(caught.value)
    assert SECRET not in str(caught.value)


def test_all_faults_are_named_together() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Configuration.from_environment({"PORT": "x", "LOG_LEVEL": "y"})
    assert all(name in str(caught.value) for name in ("DB_PASSWORD", "PORT", "LOG_LEVEL"))
