# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real registries for the client's tests: Debian's docker-registry on 127.0.0.1, its certificates, a token service."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from tests.http_server import Answer, AnsweringServer
from tests.lab.places import Places

from .certificates import Certificates, Issued
from .servers import PASSWORD, USERNAME, How, Registry, TokenService


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    directory = tmp_path / "certificates"
    directory.mkdir()
    return Certificates(directory)


@pytest.fixture(scope="session")
def registry_program() -> str:
    """docker-registry: from the PATH, or Debian's package unpacked into the cache, which needs no rights and starts nothing."""
    installed = shutil.which("docker-registry")
    if installed:
        return installed
    cache = Places.of_user().root / "programs" / "docker-registry"
    program = cache / "debian" / "usr" / "bin" / "docker-registry"
    if program.exists():
        return str(program)
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        pytest.skip("no docker-registry here, and no apt-get to fetch it: install Debian's package docker-registry")
    cache.mkdir(parents=True, exist_ok=True)
    known = subprocess.run(["apt-cache", "show", "docker-registry"], capture_output=True, check=False)
    if known.returncode and os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "-qq"], check=True)
    fetched = subprocess.run(
        ["apt-get", "download", "docker-registry"], cwd=cache, capture_output=True, text=True, check=False
    )
    packages = sorted(cache.glob("docker-registry_*.deb"))
    if fetched.returncode or not packages:
        pytest.skip(f"docker-registry cannot be fetched: {fetched.stderr.strip()}")
    unpacked = cache / f"unpacking-{os.getpid()}"
    subprocess.run(["dpkg-deb", "-x", packages[-1], unpacked], check=True)
    if not program.exists():
        unpacked.rename(cache / "debian")
    return str(program)


class StartRegistry(t.Protocol):
    """Takes the fields of How."""

    def __call__(self, **how: t.Any) -> Registry: ...


@pytest.fixture
def start_registry(registry_program: str, tmp_path: Path) -> t.Iterator[StartRegistry]:
    running: list[Registry] = []

    def start(**how: t.Any) -> Registry:
        running.append(Registry(registry_program, tmp_path / f"registry-{len(running)}", How(**how)))
        return running[-1]

    yield start
    for registry in running:
        registry.stop()


class Serve(t.Protocol):
    def __call__(
        self, answer: Answer, issued: Issued | None = None, client_ca: Issued | None = None
    ) -> AnsweringServer: ...


@pytest.fixture
def serve() -> t.Iterator[Serve]:
    with contextlib.ExitStack() as running:

        def start(answer: Answer, issued: Issued | None = None, client_ca: Issued | None = None) -> AnsweringServer:
            return running.enter_context(AnsweringServer(answer, issued.served(client_ca) if issued else None))

        yield start


@pytest.fixture
def token_service(serve: Serve, certificates: Certificates) -> TokenService:
    """Its certificate signs itself, for TLS and for tokens: it is the registry's trust anchor too."""
    return TokenService(serve, certificates.issue("Token service", ["127.0.0.1"], None, authority=True))


# takes an endpoint, whether to log in, and further options of a registry
Settings = t.Callable[..., RegistrySettings]


@pytest.fixture
def settings() -> Settings:
    """Settings of the test's user, or of nobody with C(login=False)."""

    def make(endpoint: str, login: bool = True, **params: t.Any) -> RegistrySettings:
        credentials = {"username": USERNAME, "password": PASSWORD} if login else {}
        return RegistrySettings.from_params({"endpoint": endpoint, **credentials, **params})

    return make


@pytest.fixture
def listening() -> t.Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server
