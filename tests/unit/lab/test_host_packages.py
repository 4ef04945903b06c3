# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of the host's programs is missing, and what is done about it: by an apt-get that says what it was asked."""

from __future__ import annotations

import io
import os
import re
from typing import TYPE_CHECKING

import pytest

from ansible_collections.longshore.delivery.tests.lab import host_packages
from ansible_collections.longshore.delivery.tests.lab.command import run
from ansible_collections.longshore.delivery.tests.lab.debian import HOST_NEEDS, Need
from ansible_collections.longshore.delivery.tests.lab.errors import LabError
from ansible_collections.longshore.delivery.tests.lab.places import Places
from ansible_collections.longshore.delivery.tests.lab.progress import Progress
from ansible_collections.longshore.delivery.tests.lab.recipes import PROGRAMS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

UBUNTU = 'PRETTY_NAME="Ubuntu 24.04"\nID=ubuntu\nID_LIKE=debian\n'


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """A Debian machine with nothing but a shell, whose package `gcc` brings /usr/bin/gcc; what was run there."""
    bin_directory, log, header = tmp_path / "bin", tmp_path / "log", tmp_path / "stdlib.h"
    bin_directory.mkdir()
    log.touch()
    (tmp_path / "os-release").write_text("ID=debian\n", encoding="utf-8")
    installs = f'case "$*" in *install*gcc*) [ -e {tmp_path}/broken ] && exit 100; echo >{bin_directory}/gcc; '
    installs += f"/bin/chmod +x {bin_directory}/gcc; echo >{header};; esac"
    for name, does in {"apt-get": installs, "dpkg": ":"}.items():
        script = bin_directory / name
        script.write_text(f'#!/bin/sh\necho "{name} $*" >>{log}\n{does}\n', encoding="utf-8")
        script.chmod(0o755)
    monkeypatch.setenv("PATH", str(bin_directory))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(host_packages, "OS_RELEASE", tmp_path / "os-release")
    monkeypatch.setattr(host_packages, "LOCKS", (str(tmp_path / "lock"),))
    monkeypatch.setattr(host_packages, "_refreshed", False)
    monkeypatch.setitem(HOST_NEEDS, "gcc", Need(HOST_NEEDS["gcc"].packages, (str(header),)))

    def asked() -> list[str]:
        lines = log.read_text(encoding="utf-8").splitlines()
        log.write_text("", encoding="utf-8")
        return [re.sub(r" -\S+| \S+::\S+", "", line) for line in lines]

    return asked


def test_a_distribution_is_read_with_its_kin() -> None:
    assert host_packages.distribution(UBUNTU) == {"ubuntu", "debian"}
    assert host_packages.distribution('ID="rocky"\nID_LIKE="rhel centos fedora"\n') == {
        "rocky",
        "rhel",
        "centos",
        "fedora",
    }
    assert host_packages.distribution("") == set()


def test_what_is_missing_is_installed_once_and_said(tmp_path: Path, machine: Callable[[], list[str]]) -> None:
    said = io.StringIO()
    host_packages.install(["gcc"], Places(tmp_path), Progress(said))
    assert machine() == ["apt-get update", "apt-get install gcc libc6-dev"]
    assert "installing gcc libc6-dev from Debian" in said.getvalue()
    host_packages.install(["gcc"], Places(tmp_path), Progress(said))
    host_packages.refresh()
    assert machine() == []


def test_a_compiler_without_its_headers_is_missing(tmp_path: Path, machine: Callable[[], list[str]]) -> None:
    host_packages.install(["gcc"], Places(tmp_path), Progress(io.StringIO()))
    assert host_packages.missing(["gcc", "ssh", "gcc"]) == ["ssh"]
    (tmp_path / "stdlib.h").unlink()
    assert host_packages.missing(["gcc"]) == ["gcc"]


def test_an_installation_that_was_broken_off_is_finished_first(
    tmp_path: Path, machine: Callable[[], list[str]]
) -> None:
    (tmp_path / "broken").touch()
    with pytest.raises(LabError, match=r"apt-get.* install .*failed with exit code 100"):
        host_packages.install(["gcc"], Places(tmp_path), Progress(io.StringIO()))
    machine()
    (tmp_path / "broken").unlink()
    # the program may be on PATH and not configured
    host_packages.install([], Places(tmp_path), Progress(io.StringIO()))
    assert machine() == ["dpkg", "apt-get install gcc libc6-dev"]
    host_packages.install(["gcc"], Places(tmp_path), Progress(io.StringIO()))
    assert machine() == []


def test_a_package_that_does_not_bring_its_program_is_told(tmp_path: Path, machine: Callable[[], list[str]]) -> None:
    with pytest.raises(LabError, match="openssh-client are installed, and ssh is still not on PATH"):
        host_packages.install(["ssh"], Places(tmp_path), Progress(io.StringIO()))


@pytest.mark.parametrize(("user", "like"), [(1000, "ID=debian\n"), (0, "ID=fedora\n")], ids=["no rights", "no apt"])
def test_what_a_user_is_told_where_the_lab_must_not_install(
    tmp_path: Path, machine: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch, user: int, like: str
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    (tmp_path / "os-release").write_text(like, encoding="utf-8")
    said = r"needs dockerd and ip, .*only as root on Debian or Ubuntu\. Install docker\.io iptables iproute2 "
    with pytest.raises(LabError, match=said):
        host_packages.install(["dockerd", "ip"], Places(tmp_path), Progress(io.StringIO()))
    assert machine() == []
    assert not Places(tmp_path).installing.exists()


def test_a_program_that_is_not_here_has_failed() -> None:
    assert run(["no-such-program"], check=False).rc == 127
    with pytest.raises(LabError, match="no-such-program could not be run: No such file"):
        run(["no-such-program"])


def test_an_error_has_what_a_program_said_on_both_of_its_outputs() -> None:
    with pytest.raises(LabError) as caught:
        run(["sh", "-c", "seq 100; echo cause >&2; exit 3"])
    assert str(caught.value).splitlines() == [
        "`sh -c seq 100; echo cause >&2; exit 3` failed with exit code 3:",
        *map(str, range(76, 101)),
        "cause",
    ]


def test_every_tool_of_a_build_is_there_or_can_be_installed() -> None:
    with_dpkg = {"apt-get", "dpkg-deb"}
    assert {tool for program in PROGRAMS.values() for tool in program.tools} - with_dpkg <= set(HOST_NEEDS)
