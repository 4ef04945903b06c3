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


def test_what_a_killed_engine_has_mounted_is_told_from_the_disk_it_is_on() -> None:
    killed = """\
23 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 23 254:1 /var/lib/docker /var/lib/docker rw,relatime - ext4 /dev/vda rw
41 40 0:60 / /var/lib/docker/overlay2/ab/merged rw - overlay overlay rw
42 23 0:4 net:[4026531840] /run/docker/netns/default rw shared:9 - nsfs nsfs rw
43 23 0:70 / /var/lib/dockerish rw - tmpfs tmpfs rw
"""
    assert host_engine.mounts_of_engine(killed) == [
        "/run/docker/netns/default",
        "/var/lib/docker/overlay2/ab/merged",
        "/var/lib/docker",
    ]
    assert host_engine.mounts_of_engine("40 23 254:2 / /var/lib/docker rw - ext4 /dev/vdb rw\n") == []
