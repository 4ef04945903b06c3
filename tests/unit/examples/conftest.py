# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The example application, importable as in its image, and started for a test's length."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest
from shop_processes import PASSWORD, WEB, Program, Web, free_port

sys.path.insert(0, str(WEB))


@pytest.fixture(scope="session", autouse=True)
def _pinned_dependency() -> None:
    """What is tested here has to be what the image installs."""
    lines = (WEB / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = next(line.split()[0] for line in lines if "==" in line)
    name, _equals, wanted = pinned.partition("==")
    try:
        found = version(name)
    except PackageNotFoundError:
        found = "none"
    if found != wanted:
        pytest.fail(
            f"the development environment has {name} {found}, the application's image installs {pinned}: align them"
        )


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Start any program; whatever still runs at the end of the test is killed."""
    programs: list[Program] = []

    def begin(kind: Callable[..., Program], *arguments: Any) -> Program:
        program = kind(*arguments)
        programs.append(program)
        return program

    yield begin
    for program in programs:
        program.process.kill()
        program.process.wait()


@pytest.fixture
def serve(start: Callable[..., Web], tmp_path: Path) -> Callable[..., Web]:
    """Start the application with these variables beside PORT and DB_PASSWORD, and wait until it serves."""

    def begin(**variables: str) -> Web:
        environment = {"PORT": str(free_port()), "DB_PASSWORD": PASSWORD, "WARMUP_SECONDS": "0", **variables}
        web = start(Web, tmp_path / f"web-{environment['PORT']}.log", environment)
        web.wait_for_log("serving")
        return web

    return begin
