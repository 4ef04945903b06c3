# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Engines that build, and what they build from."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import typing as t
from pathlib import Path

import pytest

from tests.lab.nodes import BUILDER

from .engine import PLACES, Engine


@pytest.fixture(scope="module")
def own_home(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[None]:
    """The lab's buildx, and a cache and notes that are this module's own."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_CONFIG", str(PLACES.docker_config))
        patch.setenv("XDG_CACHE_HOME", str(home / "cache"))
        patch.setenv("XDG_STATE_HOME", str(home / "state"))
        yield


@pytest.fixture(params=["controller", "dock"], scope="module")
def engine(request: pytest.FixtureRequest, own_home: None) -> t.Iterator[Engine]:
    dock = request.param == "dock"
    engine = Engine(BUILDER, PLACES.builder) if dock else Engine("unix:///var/run/docker.sock", None)
    yield engine
    engine.clean()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    root = tmp_path / "source"
    root.mkdir()
    (root / "Dockerfile").write_text("FROM scratch\nCOPY app /dir/app\n")
    (root / "app").write_text("one\n")
    (root / ".dockerignore").write_text("*.log\n")
    return root


@pytest.fixture(scope="session")
def shell_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What makes an image with nothing but the controller's own shell and what it is linked with."""
    root = tmp_path_factory.mktemp("shell")
    linked = subprocess.run(["ldd", "/bin/sh"], capture_output=True, text=True, check=True).stdout.split()
    for path in ["/bin/sh", *(word for word in linked if word.startswith("/"))]:
        (root / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, root / path.lstrip("/"))
    (root / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    (root / ".dockerignore").write_text("Dockerfile\n.dockerignore\n")
    return root


@pytest.fixture(scope="module")
def shell(engine: Engine, shell_files: Path) -> str:
    """The name of that image."""
    engine.build("shell:1", shell_files)
    return f"{engine.prefix}/shell:1"


@pytest.fixture
def agent() -> t.Iterator[str]:
    """A socket on which an SSH agent could listen; its path, which has to be short."""
    with tempfile.TemporaryDirectory() as directory, socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{directory}/agent")
        listening.listen()
        yield f"{directory}/agent"
