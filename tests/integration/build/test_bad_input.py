# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Inputs that are odd and no faults, by both builders of real engines: they are built, and once."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.build.definition import read_definition

from .engine import Engine

pytestmark = [pytest.mark.lab, pytest.mark.wide]

TEXT = "FROM scratch\nCOPY . /x/\nENV A=b\n"


@pytest.mark.parametrize("by", ["docker", "docker_classic"])
def test_what_is_odd_is_built_as_it_is_read(engine: Engine, source: Path, by: str) -> None:
    def builds(root: Path, **options: t.Any) -> None:
        given: dict[str, t.Any] = {"tags": ["1"], "engine": by, **options}
        engine.build("odd", root, **given)
        found = read_definition(str(root), "Dockerfile", options.get("dockerfile_inline")).context.entries
        assert engine.files_below("odd:1", "x") == found
        assert not engine.build("odd", root, **given)["changed"]

    empty = source / "empty"
    empty.mkdir()
    builds(empty, dockerfile_inline=TEXT)
    (source / "Dockerfile").write_bytes(b"\xef\xbb\xbf# escape=`\r\nFROM scratch\r\nCOPY . `\r\n  /x/\r\nENV A=b\r\n")
    (source / ".dockerignore").write_bytes(b"\xef\xbb\xbfleft\r\n")
    (source / "left").touch()
    os.mkdir(os.path.join(os.fsencode(source), b"d\xff"))
    Path(os.fsdecode(os.path.join(os.fsencode(source), b"d\xff", b"f\xe9"))).write_text("x")
    os.symlink(b"t\xff", os.path.join(os.fsencode(source), b"link"))
    builds(source)
    assert engine.client.images.get(f"{engine.prefix}/odd:1").attrs["Config"]["Env"][-1] == "A=b"
