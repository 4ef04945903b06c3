# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Somewhere to run playbooks."""

from __future__ import annotations

from pathlib import Path

import pytest

from .running import Playbooks


@pytest.fixture
def playbooks(tmp_path: Path) -> Playbooks:
    return Playbooks(tmp_path)
