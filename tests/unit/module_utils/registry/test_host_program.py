# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a program says of itself before it is made the registry."""

from __future__ import annotations

import os
import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed
from ansible_collections.longshore.delivery.plugins.module_utils.registry.host_program import (
    identity_of,
    observe,
    running,
)


def answering(rc: int = 0, stdout: str = "", stderr: str = "") -> t.Callable[..., Completed]:
    def run_command(argv: t.Sequence[str], **_options: t.Any) -> Completed:
        assert argv[-1] == "--version"
        assert "setpriv" in argv, "it is not asked as root"
        return Completed(rc, stdout, stderr)

    return run_command


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("docker-registry github.com/docker/distribution v2.8.2+ds1\n", "v2.8.2+ds1"),
        ("/registry github.com/distribution/distribution/v3 v3.1.2\n", "v3.1.2"),
    ],
)
def test_its_version_is_what_it_says(said: str, version: str) -> None:
    found = observe("/bin/sh", answering(stdout=said))
    assert (found.version, found.fault, found.obstacles(False)) == (version, "", [])
    assert found.identity == identity_of(os.path.realpath("/bin/sh"))


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (answering(stdout="GNU bash, version 5.2\n"), "makes it say: GNU bash, version 5.2. Give one"),
        (answering(126, stderr="setpriv: failed to execute /bin/sh: Permission denied"), "Permission denied"),
        (answering(1, stdout="registry github.com/docker/distribution v2\n"), "v2"),
        (answering(), "nothing"),
    ],
)
def test_what_is_no_registry_is_named(answer: t.Callable[..., Completed], word: str) -> None:
    (said,) = observe("/bin/sh", answer).obstacles(True)
    assert said.startswith("registry_program /bin/sh is no registry that can be run")
    assert word in said
    assert said.endswith("Give one that everybody may run.")


@pytest.mark.parametrize("path", ["bin/registry", "/tmp/registry", "/var/tmp/registry"])
def test_a_place_where_the_service_would_not_see_it_is_refused(path: str) -> None:
    (said,) = observe(path, answering()).obstacles(True)
    assert "outside of /tmp and /var/tmp" in said


@pytest.mark.parametrize("path", ["/nowhere/registry", "/usr"])
def test_what_is_missing_is_so_unless_a_package_brings_it(path: str) -> None:
    found = observe(path, answering())
    assert found.obstacles(True) == []
    assert f"{path} is not on this host" in found.obstacles(False)[0]


def test_a_program_that_was_replaced_is_another_than_the_one_that_runs(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(Path("/bin/sleep").read_bytes())
    program.chmod(0o755)
    process = subprocess.Popen([program, "60"])
    try:
        while running(process.pid) != identity_of(str(program)):  # between fork and exec it is this one
            assert process.poll() is None
        newer = tmp_path / "newer"
        newer.write_bytes(program.read_bytes())
        newer.replace(program)
        assert running(process.pid) not in ("", identity_of(str(program)))
    finally:
        process.kill()
        process.wait()
    assert running(process.pid) == ""
