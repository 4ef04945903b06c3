# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sanity and the unit tests with every supported ansible-core, on each Python that it runs on and that is here."""

from __future__ import annotations

import os
import re
import subprocess
import warnings
from pathlib import Path

import pytest

from tests.checks.ansible_test import CHECKOUT, all_names, cache_directory, sanity
from tests.pythons import needed_python

# ansible-core's series and the Pythons of its controllers
SUPPORTED = {"2.19": ("3.11", "3.12", "3.13"), "2.20": ("3.12", "3.13", "3.14"), "2.21": ("3.12", "3.13", "3.14")}
PACKAGES = (
    *("docker", "kubernetes", "cryptography", "bcrypt", "PyYAML", "waitress"),
    *("pytest", "pytest-timeout", "pytest-xdist", "hypothesis"),
)


@pytest.fixture(params=[(core, python) for core, pythons in SUPPORTED.items() for python in pythons], ids="-".join)
def environment(request: pytest.FixtureRequest) -> Path:
    """The bin directory of a virtual environment with an ansible-core on a Python."""
    core, version = request.param
    python = needed_python(version)
    venv = cache_directory() / f"core{core}-python{version}"
    pins = (CHECKOUT / "tests" / "constraints.txt").read_text().splitlines()
    constraints = "".join(f"{pin}\n" for pin in pins if not pin.startswith("ansible"))
    wanted = f"{python} {PACKAGES}\n{constraints}"
    complete = venv / "complete"
    if not complete.exists() or complete.read_text() != wanted:
        subprocess.run([python, "-m", "venv", "--clear", venv], check=True)
        (venv / "constraints.txt").write_text(constraints)
        pip: list[str | Path] = [
            venv / "bin" / "python",
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]
        subprocess.run([*pip, "-c", venv / "constraints.txt", f"ansible-core=={core}.*", *PACKAGES], check=True)
        complete.write_text(wanted)
    return venv / "bin"


def test_sanity(environment: Path) -> None:
    done = sanity(all_names(), environment)
    assert done.passed, done.said[-16000:]
    assert set(done.ran) == done.available


def test_units(environment: Path) -> None:
    """By two processes or more, and with other examples of properties at each run than those of C(make test)."""
    pytest_of_it: list[str | Path] = [
        environment / "python",
        "-m",
        "pytest",
        "-q",
        "-rs",
        "-p",
        "no:cacheprovider",
        "--numprocesses=auto",
        "--dist=loadfile",  # what the tests of a file share is made once
    ]
    done = subprocess.run(
        [*pytest_of_it, "--hypothesis-profile=exploring", "tests/unit"],
        cwd=CHECKOUT,
        env={**os.environ, "PATH": f"{environment}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-12000:] + done.stderr[-4000:]
    for skipped in re.findall(r"^SKIPPED .*", done.stdout, re.MULTILINE):
        warnings.warn(skipped, stacklevel=1)
