# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the engine is that builds and pushes."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import (
    DockerAddress,
    InvalidAddress,
)


@pytest.fixture
def certificates(tmp_path: Path) -> str:
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (tmp_path / name).touch()
    return str(tmp_path)


def test_the_address_is_the_docker_command_s(certificates: str) -> None:
    find = DockerAddress.find
    assert find(None, None, {}) == DockerAddress("unix:///var/run/docker.sock")
    assert find(None, None, {"DOCKER_HOST": "tcp://a:1"}) == DockerAddress("tcp://a:1")
    by_environment = {"DOCKER_HOST": "tcp://a:1", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": certificates}
    assert find(None, None, by_environment) == DockerAddress("tcp://a:1", certificates)
    assert find("tcp://b:2", None, by_environment) == DockerAddress("tcp://b:2", certificates)
    assert find(None, None, {**by_environment, "DOCKER_TLS_VERIFY": ""}) == DockerAddress("tcp://a:1")
    assert find("unix:///x", None, by_environment) == DockerAddress("unix:///x")
    configured = {"DOCKER_HOST": "tcp://a:1", "DOCKER_TLS_VERIFY": "1", "DOCKER_CONFIG": certificates}
    assert find(None, None, configured) == DockerAddress("tcp://a:1", certificates)
    assert find("tcp://b:2", certificates, {}).command_environment == {
        "DOCKER_HOST": "tcp://b:2",
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": certificates,
        "DOCKER_CONTEXT": "",
    }


def test_a_missing_certificate_is_named(certificates: str) -> None:
    Path(certificates, "key.pem").unlink()
    with pytest.raises(InvalidAddress, match=r"no key.pem in .*engine at tcp://a:1"):
        DockerAddress.find("tcp://a:1", certificates, {})
