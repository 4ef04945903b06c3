# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program that the role registry makes of the files that collect garbage."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import typing as t
from pathlib import Path

import jinja2
import pytest
import yaml

from tests.checks.imports import PLUGINS, standing_on
from tests.pythons import NODE_PYTHONS, needed_python

from .conftest import Serve, StartRegistry
from .garbage_place import gone, with_garbage

ROLE = PLUGINS.parent / "roles/registry"
SOURCES: list[str] = yaml.safe_load((ROLE / "vars/main.yml").read_text())["registry_collect_sources"]


def program() -> str:
    template = jinja2.Environment(autoescape=False, trim_blocks=True, keep_trailing_newline=True).from_string(
        (ROLE / "templates/collect_garbage.py.j2").read_text()
    )
    return template.render(
        registry_collect_sources=SOURCES,
        registry_collect_sources_directory=str(PLUGINS / "module_utils"),
        lookup=lambda kind, path: Path(path).read_text().rstrip(),
    )


def test_the_program_has_just_what_it_stands_on() -> None:
    directory = PLUGINS / "module_utils"
    paths = [directory / f"{name.replace('.', '/')}.py" for name in SOURCES]
    assert set(paths) == standing_on(directory / "registry/garbage_program.py")
    for path in paths:
        source = path.read_text()
        assert source.isascii(), path
        assert "'''" not in source, path


@contextlib.contextmanager
def told(address: Path | str) -> t.Iterator[socket.socket]:
    """What systemd is told there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(address))
        systemd.settimeout(20)
        yield systemd


@pytest.mark.parametrize("version", [NODE_PYTHONS[0], None])
def test_the_program_collects_settles_and_says_so(
    start_registry: StartRegistry, serve: Serve, tmp_path: Path, version: str | None
) -> None:
    place = with_garbage(start_registry(), serve, tmp_path)
    python = needed_python(version) if version else Path(sys.executable)
    (tmp_path / "program").write_text(program())
    gate = place.gate
    arguments = {
        "storage": place.written.root,
        "notes": tmp_path / "notes",
        "flag": gate.flag,
        "scheme": gate.scheme,
        "address": gate.address,
        "port": gate.port,
        "backend-port": gate.backend_port,
        "recent-hours": 1,
        "untagged-days": 0,
        "at-most": 60,
    }

    def run(*more: str, **environment: str) -> tuple[int, str, str]:
        argv: list[str | Path] = [
            python,
            "-I",
            tmp_path / "program",
            *(f"--{name}={value}" for name, value in arguments.items()),
            *more,
        ]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, env={**os.environ, **environment})
        return done.returncode, done.stdout, done.stderr

    needed, going = place.written.tagged(), gone(place)
    status, said, _faults = run("--untagged-days=-1")
    assert status == 0
    assert json.loads(said.splitlines()[-1])["manifests"] == 0
    with place.notes.alone():
        assert run() == (75, "a collection is under way already\n", "")
        place.flag.touch()
        with told(tmp_path / "notify") as systemd:
            assert run("--settle", NOTIFY_SOCKET=str(tmp_path / "notify"))[0] == 0
            assert systemd.recv(100) == b"READY=1"
        assert place.flag.exists(), "the other one's"
    with told(f"\0{tmp_path}") as systemd:
        assert run("--settle", NOTIFY_SOCKET=f"@{tmp_path}") == (0, "", "")
        assert systemd.recv(100) == b"READY=1"
    assert not place.flag.exists()
    status, said, _faults = run()
    assert (status, json.loads(said.splitlines()[-1])["manifests"]) == (0, 1)
    assert (place.written.tagged(), gone(place)) == (needed, set())
    assert going
    status, _said, faults = run(f"--notes={tmp_path}/nowhere")
    assert status == 1
    assert f"{tmp_path}/nowhere/lock" in faults
    others = tmp_path / "others"
    others.mkdir()
    if os.geteuid() == 0:
        os.chown(others, 65534, 65534)
    status, _said, faults = run(f"--storage={others if os.geteuid() == 0 else '/'}")
    assert (status, faults.startswith("Only the user that owns ")) == (77, True)
    place.registry.stop()
    status, said, faults = run()
    assert status == 1
    assert faults.startswith("Nothing was collected: the registry does not answer")
    assert json.loads(said.splitlines()[-1])["fault"] in faults
