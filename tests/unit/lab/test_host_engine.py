# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the lab may install and start an engine, and what it says where it may not."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from tests.lab import host_engine
from tests.lab.errors import LabError
from tests.lab.places import Places
from tests.lab.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path

UBUNTU = 'PRETTY_NAME="Ubuntu 24.04"\nID=ubuntu\nID_LIKE=debian\n'


def test_a_distribution_is_read_with_its_kin() -> None:
    assert host_engine.distribution(UBUNTU) == {"ubuntu", "debian"}
    assert host_engine.distribution('ID="rocky"\nID_LIKE="rhel centos fedora"\n') == {
        "rocky",
        "rhel",
        "centos",
        "fedora",
    }
    assert host_engine.distribution("") == set()


def test_an_engine_elsewhere_is_the_users_to_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(LabError, match=r"DOCKER_HOST=unix://.*unset DOCKER_HOST"):
        host_engine.ensure(Places(tmp_path), Progress(io.StringIO()))
    assert not (tmp_path / "engine").exists()


def test_an_engine_that_the_lab_did_not_start_is_not_stopped(tmp_path: Path) -> None:
    places = Places(tmp_path)
    out = io.StringIO()
    host_engine.stop(places, Progress(out))
    # the number of a process that is no dockerd, as after a reboot
    places.engine.mkdir(parents=True)
    (places.engine / "dockerd.pid").write_text("1\n", encoding="ascii")
    host_engine.stop(places, Progress(out))
    assert out.getvalue() == ""


def test_what_a_user_without_rights_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(LabError, match=r"only as root on Debian or Ubuntu\. Install docker\.io iptables"):
        host_engine.install("dockerd", Progress(io.StringIO()))
