# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A copy of the collection with the probe, and playbooks that run in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from .playbook import Playbook, collection_with_probe


@pytest.fixture(scope="session")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return collection_with_probe(tmp_path_factory.mktemp("collections"))


@pytest.fixture
def playbook(collections: Path, tmp_path: Path) -> Playbook:
    return Playbook(collections, tmp_path)
