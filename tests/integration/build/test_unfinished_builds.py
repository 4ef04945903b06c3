# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Builds that do not come to their end: what is said, and that nothing is left of them."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from tests.integration import containerd_store
from tests.integration.asking import on_node

from .engine import Engine

pytestmark = [pytest.mark.lab, pytest.mark.wide]

# ends by itself after some seconds: an engine that is killed leaves it, and BuildKit 0.12 may when it is told to end it at once
LONG = "i=0; while [ $i -lt 3000000 ]; do i=$((i+1)); done"


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go."""
    directory = tmp_path / "temporary"
    directory.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    return directory


@contextlib.contextmanager
def small_engine() -> t.Iterator[tuple[Engine, str]]:
    """One with a disk of its own, which may be filled and killed; and its unit on dock."""
    with containerd_store.running(1, disk="48m") as started:
        engine = Engine(started.host, started.certificates)
        yield engine, started.unit
        engine.client.close()


def test_a_full_disk_of_the_engine(own_home: None, source: Path, temporary: Path) -> None:
    (source / "app").write_bytes(os.urandom(64 << 20))
    with small_engine() as (engine, _unit):
        with pytest.raises(
            DeliveryError, match=r"no space left on device\. The disk is full\. Remove what is not needed"
        ):
            engine.build("full", source, tags=["1"])
        assert engine.client.api.images(all=True) == engine.client.api.containers(all=True) == []
    assert os.listdir(temporary) == []


def test_an_engine_that_dies(own_home: None, shell_files: Path, tmp_path: Path, temporary: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(shell_files, source)
    with open(source / "Dockerfile", "a") as file:
        file.write(f"RUN {LONG}\n")
    with small_engine() as (engine, unit):

        def kill(line: str) -> None:
            if line.endswith("running"):
                on_node("dock", "systemctl", "kill", "--signal=KILL", unit)

        engine.on_progress = kill
        with pytest.raises(DeliveryError, match=r"Building .*/dies:1 failed.* The engine went away\. See on its host"):
            engine.build("dies", source, tags=["1"], network="none")
        engine.on_progress = print
        with pytest.raises(
            DeliveryError, match=f"The Docker engine at {engine.options['docker_host']} cannot be reached"
        ):
            engine.build("dies", source, tags=["1"])
    assert os.listdir(temporary) == []


@pytest.mark.parametrize("when", ["RUN : ", "exporting to image"])
def test_an_interrupted_build(engine: Engine, source: Path, shell: str, temporary: Path, when: str) -> None:
    """Interrupted while a command runs, and when the image is there but has no name yet."""
    sign = f"{engine.prefix}/{len(when)}"
    last = f"\nRUN : {sign}; {LONG}\n" if when == "RUN : " else ""
    (source / "Dockerfile").write_text(f"FROM {shell}\nCOPY app /{sign}\n{last}")

    def interrupt(line: str) -> None:
        if when in line:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "on_progress", interrupt)
        with pytest.raises(KeyboardInterrupt):
            engine.build("interrupted", source, tags=["1"], network="none", labels={"of": sign})
    assert engine.client.api.images(filters={"label": f"of={sign}"}, all=True) == []
    assert os.listdir(temporary) == []
