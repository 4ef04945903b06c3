# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read of processes and of what programs say of themselves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Completed
from ansible_collections.longshore.delivery.plugins.module_utils.node.engine import Engine
from ansible_collections.longshore.delivery.plugins.module_utils.node.processes import Process, is_running, running
from ansible_collections.longshore.delivery.plugins.module_utils.node.versions import version_in, with_version


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("1.7.24~ds1 1.7.24~ds1-6+deb13u1", "1.7.24"),
        ("v2.2.9 ", "2.2.9"),
        ("Docker version 26.1.5+dfsg1, build a72d7cd", "26.1.5"),
        ("podman version 4.3.1\n", "4.3.1"),
        ("crio version 1.36.1\nVersion: 1.36.1\n", "1.36.1"),
        ("29.0", "29.0"),
        ("no number", ""),
    ],
)
def test_versions(text: str, version: str) -> None:
    assert version_in(text) == version


def test_flags_of_a_daemon() -> None:
    process = Process(
        1, ("dockerd", "-H", "fd://", "--host=unix:///x.sock", "--insecure-registry", "a:1", "--debug"), 1
    )
    assert process.flags("-H", "--host") == ["fd://", "unix:///x.sock"]
    assert process.flag("--insecure-registry") == "a:1"
    assert process.flag("--config-file") is None


def test_a_process_is_told_from_a_later_one_of_its_number() -> None:
    program = "import time; print('runs', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as child:
        try:
            # the kernel names a process a moment before it has its arguments
            assert child.stdout is not None
            assert child.stdout.readline() == b"runs\n"
            name = Path(f"/proc/{child.pid}/comm").read_text().strip()
            (found,) = [process for process in running([name])[name] if process.pid == child.pid]
            assert found.argv[1] == "-c"
            assert is_running(found)
            assert not is_running(Process(found.pid, found.argv, found.started + 1))
        finally:
            child.kill()
    assert not is_running(found)


@pytest.mark.parametrize(
    ("name", "said", "version"),
    [
        ("containerd", "containerd github.com/containerd/containerd/v2 v2.2.9 1b4f", "2.2.9"),
        ("containerd", "containerd github.com/containerd/containerd 1.7.24~ds1 1.7.24~ds1-6", "1.7.24"),
        ("crio", "crio version 1.36.1\nVersion: 1.36.1\n", "1.36.1"),
        ("docker", "Docker version 26.1.5+dfsg1, build a72d7cd", "26.1.5"),
    ],
)
def test_an_engines_program_says_its_version(name: str, said: str, version: str) -> None:
    found = Engine(name, "", "/etc/x", program="/usr/bin/program")
    assert with_version(found, lambda argv, **_options: Completed(0, said, "")).version == version


def test_an_engine_without_a_program_is_not_asked() -> None:
    def no_command(argv: object, **_options: object) -> Completed:
        raise AssertionError(argv)

    assert with_version(Engine("crio", "", "/etc/x"), no_command).version == ""
