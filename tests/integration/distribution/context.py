# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a capability is run with in these tests, on the controller."""

from __future__ import annotations

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Context
from ansible_collections.longshore.delivery.plugins.module_utils.running import run_command


def silent() -> Context:
    """A real run, in which nothing is to be warned of."""
    return Context(False, False, pytest.fail, lambda line: None, run_command)
