# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is noted of a registry's host before a change and after it, and by which run."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError

from .ledger_host import MARK, Host

RUN = {"id": "1", "controller": "ops", "user": "ada", "process": 4711, "succeeds": "", "follows": None}


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return Host(tmp_path, [])


@pytest.fixture
def noted(host: Host) -> Host:
    """What a run of the role leaves."""
    host.leave()
    return host


def test_the_ledger_says_what_was_written_and_what_was_there_before(noted: Host) -> None:
    said = json.loads(noted.ledger.read_text())
    assert said["files"] == {
        str(noted.root / "etc/config.yml"): hashlib.sha256(f"{MARK}\n".encode()).hexdigest(),
        str(noted.root / "etc/htpasswd"): hashlib.sha256(b"ci:hash").hexdigest(),
    }
    there = os.stat(noted.root / "images")
    images = {"uid": there.st_uid, "gid": there.st_gid, "mode": 0o700}
    assert said["directories"] == {str(noted.root / "etc"): None, str(noted.root / "images"): images}
    assert noted.ledger.stat().st_mode & 0o777 == 0o600


def test_copies_are_there_from_the_beginning_of_a_change_to_its_end(noted: Host) -> None:
    configuration = noted.root / "etc/config.yml"
    kept = {"directory": str(noted.root / "etc/before"), "files": [str(configuration)]}
    noted.call("begun", kept=kept, check=True)
    assert not (noted.root / "etc/before").exists()
    assert not noted.call("begun", kept=kept)["changed"]
    assert (noted.root / "etc/before/config.yml").read_text() == configuration.read_text()
    assert not noted.call("done", kept=kept)["changed"]
    assert not (noted.root / "etc/before").exists()


def test_of_a_first_run_the_directory_of_the_copies_is_not_what_was_there_before(host: Host) -> None:
    (host.root / "images").mkdir()
    kept = {"directory": str(host.root / "etc/before"), "files": []}
    host.call("begun", kept=kept, run=RUN)
    assert json.loads(host.ledger.read_text())["directories"][str(host.root / "etc")] is None
    with pytest.raises(DeliveryError, match="process 4711 of ada on ops"):
        host.call("begun", kept=kept, run={**RUN, "id": "2"})
    host.call("done", kept=kept, run=RUN)
    assert not (host.root / "etc/before").exists()


def test_what_cannot_be_noted_keeps_no_other_run_off(noted: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {"directory": str(noted.root / "etc/before"), "files": [str(noted.root / "etc/config.yml")]}

    def no_room(source: str, target: str) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), target)

    with monkeypatch.context() as full:
        full.setattr("shutil.copy2", no_room)
        with pytest.raises(DeliveryError, match=r"No space left on device.*config.yml.*Nothing was changed"):
            noted.call("begun", kept=kept, run=RUN)
    noted.call("begun", kept=kept, run={**RUN, "id": "2"})


def begin_and_end(host: Host, run: dict[str, t.Any]) -> None:
    kept = {"directory": str(host.root / "etc/before"), "files": []}
    for state in ("begun", "done"):
        host.call(state, kept=kept, run=run)


def test_the_last_run_that_changed_something_is_noted_and_a_look_of_before_it_counts_no_more(noted: Host) -> None:
    kept = {"directory": str(noted.root / "etc/before"), "files": []}
    begin_and_end(noted, {**RUN, "follows": ""})
    assert json.loads(noted.ledger.read_text())["changed_by"] == "1"
    begin_and_end(noted, {**RUN, "follows": ""})  # what it did itself since it looked
    for check in (True, False):
        with pytest.raises(
            DeliveryError, match="has changed the registry without a registry_instance on this host since"
        ):
            noted.call("begun", check=check, kept=kept, run={**RUN, "id": "2", "follows": ""})
    begin_and_end(noted, {**RUN, "id": "2", "follows": "1"})
    assert json.loads(noted.ledger.read_text())["changed_by"] == "2"


def test_check_mode_is_refused_as_the_run_itself_would_be(noted: Host) -> None:
    kept = {"directory": str(noted.root / "etc/before"), "files": []}
    noted.call("begun", kept=kept, run=RUN)
    before = noted.ledger.read_text()
    for state in ("begun", "absent"):
        with pytest.raises(DeliveryError, match="process 4711 of ada on ops"):
            noted.call(state, check=True, kept=kept, run={**RUN, "id": "2"})
    assert noted.ledger.read_text() == before


def test_while_a_run_changes_it_a_registry_is_not_taken_away(noted: Host) -> None:
    kept = {"directory": str(noted.root / "etc/before"), "files": []}
    noted.call("begun", kept=kept, run=RUN)
    before = sorted(noted.root.rglob("*"))
    other = {**RUN, "id": "2"}
    with pytest.raises(DeliveryError, match="process 4711 of ada on ops"):
        noted.call("absent", kept=kept, run=other)
    assert sorted(noted.root.rglob("*")) == before
    assert noted.call("absent", kept=kept, run={**other, "succeeds": "1"})["changed"]
    assert not (noted.root / "etc/config.yml").exists()


def test_a_file_of_all_registries_is_not_one_that_this_registry_has_left(host: Host) -> None:
    """Else the ledger of a second registry would not have what ran before, and nothing would give it back."""
    of_all = host.root / "nginx.service.d"
    of_all.write_text(f"{MARK}\n")
    files: dict[str, t.Any] = {"files": [str(of_all), str(host.root / "config.yml")], "services": ["nginx.service"]}
    host.call("begun", shared_files=[str(of_all)], **files)
    assert "nginx.service" in json.loads(host.ledger.read_text())["services"]
