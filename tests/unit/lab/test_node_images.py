# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The nodes' images: named by their recipe, from stable suites only, pinned where suites differ."""

from __future__ import annotations

import pytest

from tests.lab import debian
from tests.lab.node_images import base_image, node_image


def test_a_change_below_changes_the_tags_above(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {kind: node_image(kind).tag for kind in debian.NODE_PACKAGES}
    assert len(set(before.values())) == len(before)
    monkeypatch.setenv("LONGSHORE_DEBIAN_MIRROR", "http://mirror.test/debian/")
    after = {kind: node_image(kind).tag for kind in debian.NODE_PACKAGES}
    assert all(before[kind] != after[kind] for kind in before)


def test_another_mirror_serves_security_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONGSHORE_DEBIAN_MIRROR", "http://mirror.test/debian/")
    sources = debian.sources_list().splitlines()
    assert "deb http://mirror.test/debian bookworm main" in sources
    assert "deb http://mirror.test/debian-security trixie-security main" in sources
    assert all(line.split()[1].startswith("http://mirror.test/") for line in sources)


def test_packages_come_from_stable_suites_and_engines_by_name() -> None:
    assert {line.split()[2].partition("-")[0] for line in debian.sources_list().splitlines()} == {"bookworm", "trixie"}
    control = node_image("containerd-debian").dockerfile
    assert "containerd/trixie runc/bookworm" in control
    dock = debian.NODE_PACKAGES["dock"]
    assert "docker.io/trixie" in dock
    assert "podman" in dock  # bookworm's: the newer one needs newer libraries
    assert not any(package.endswith("/trixie") for package in debian.NODE_PACKAGES["crio"])


def test_a_node_image_is_built_on_the_base() -> None:
    assert node_image("crio").dockerfile.startswith(f"FROM {base_image().tag}\n")
    assert node_image("crio").parent == base_image()
