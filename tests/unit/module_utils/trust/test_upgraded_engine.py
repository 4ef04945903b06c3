# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""An engine that was upgraded since: its configuration was migrated, or is the package's again."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings

from .node import Node

Make = t.Callable[..., RegistrySettings]
CONFIG = "etc/containerd/config.toml"
OLD = 'version = 2\n\n[plugins."io.containerd.grpc.v1.cri"]\n  [plugins."io.containerd.grpc.v1.cri".cni]\n    bin_dir = "/x"\n'
# as 'containerd config migrate' of 2.2 writes it
MIGRATED = """version = 3

[plugins]
  [plugins.'io.containerd.cri.v1.images']
    [plugins.'io.containerd.cri.v1.images'.registry]
      config_path = '%s'

  [plugins.'io.containerd.cri.v1.runtime']
    [plugins.'io.containerd.cri.v1.runtime'.cni]
      bin_dir = '/x'
"""


def migrated(node: Node) -> None:
    """Have containerd 2.2 and the configuration as it would migrate it."""
    directory = str(node.root / "etc/containerd/certs.d")
    assert directory in node.read(CONFIG)
    node.write(CONFIG, MIGRATED % directory)
    node.containerd = "2.2.1"


@pytest.mark.parametrize("runs_before", [True, False])
def test_a_configuration_that_was_migrated_is_as_wanted_and_loses_the_directory_with_the_last(
    tmp_path: Path, registry: Make, runs_before: bool
) -> None:
    node = Node(tmp_path)
    node.write(CONFIG, OLD)
    node.serve(registry())
    migrated(node)
    if runs_before:
        assert not node.planned(registry()).changes
        node.serve(registry(), registry(endpoint="second.example"))
        assert node.read(CONFIG) == MIGRATED % (tmp_path / "etc/containerd/certs.d")
    node.serve(absent=True)
    assert "config_path" not in node.read(CONFIG)
    assert "bin_dir = '/x'" in node.read(CONFIG)


def test_where_the_package_s_own_is_back_the_directory_is_set_again(tmp_path: Path, registry: Make) -> None:
    node = Node(tmp_path)
    node.write(CONFIG, OLD)
    node.serve(registry())
    node.write(CONFIG, OLD)
    node.containerd = "2.2.1"
    assert [step.path for step in node.planned(registry()).steps] == [str(tmp_path / CONFIG)]
    node.serve(registry())
    assert str(tmp_path / "etc/containerd/certs.d") in node.read(CONFIG)
    node.serve(absent=True)
    assert node.read(CONFIG) == OLD
