# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an engine says of itself."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.address import DockerAddress
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.client import DockerEngine
from ansible_collections.longshore.delivery.plugins.module_utils.docker_engine.faults import DockerEngineError
from tests.http_server import AnsweringServer

DOCKER = {"ApiVersion": "1.45", "Version": "26.1.5", "Components": [{"Name": "Engine"}, {"Name": "containerd"}]}
# as Podman 4.3 answers
PODMAN = {"ApiVersion": "1.41", "Version": "4.3.1", "Components": [{"Name": "Podman Engine"}, {"Name": "Conmon"}]}


def check(version: dict[str, t.Any]) -> None:
    body = json.dumps({"MinAPIVersion": "1.12", **version}).encode()
    with AnsweringServer(lambda request: (200, {"Content-Type": "application/json"}, body)) as server:
        engine = DockerEngine(DockerAddress(f"tcp://127.0.0.1:{server.port}"))
        try:
            engine.check_buildkit()
        finally:
            engine.close()


def test_podman_is_no_engine_with_buildkit() -> None:
    check(DOCKER)
    with pytest.raises(DockerEngineError, match=r"is Podman 4\.3\.1, which has no BuildKit\. Set 'docker_host'"):
        check(PODMAN)
