# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Registries with real authorities, and nodes below a temporary directory."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from tests.unit.module_utils.registry.certificates import Certificates

from .node import Node


@pytest.fixture(scope="session")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Two authorities, as PEM text."""
    certificates = Certificates(tmp_path_factory.mktemp("authorities"))
    return [certificates.authority(name).pem for name in ("One", "Two")]


@pytest.fixture(scope="session")
def registry(authorities: list[str]) -> t.Callable[..., RegistrySettings]:
    """Settings of a registry; C(tls="ca") is verified TLS by the first authority, C(tls="other") by the second.

    C(tls="both") and C(tls="turned") are by either of them, in this order and in the other one; C(tls="mirror") is a mirror,
    by the first.
    """

    def make(tls: str = "ca", endpoint: str = "10.0.0.5:5000", **params: t.Any) -> RegistrySettings:
        one, two = authorities
        if tls == "mirror":
            params["mirror_of"], tls = ["docker.io", "10.0.0.6:5000"], "ca"
        by = {"ca": one, "other": two, "both": one + two, "turned": two + one}
        if tls in by:
            params["ca"], tls = by[tls], "verified"
        return RegistrySettings.from_params({"endpoint": endpoint, "tls": tls, **params})

    return make


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)
