# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The networks of RUN instructions that BuildKit knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.build.builder import BuilderMissing
from ansible_collections.longshore.delivery.plugins.module_utils.build.docker_builds import check_values

from .test_builders import requested


@pytest.mark.parametrize("network", ["", "default", "host", "none"])
def test_these_it_knows(tmp_path: Path, network: str) -> None:
    check_values(requested(tmp_path, dockerfile="FROM scratch\n", network=network))


def test_another_is_refused_before_the_build(tmp_path: Path) -> None:
    with pytest.raises(BuilderMissing, match="'network' is shop, and BuildKit knows default, host, none only"):
        check_values(requested(tmp_path, dockerfile="FROM scratch\n", network="shop"))
