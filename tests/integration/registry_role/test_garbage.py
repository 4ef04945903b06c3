# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Garbage is collected on the registry's host while clients pull and push, and the collection is interrupted there."""

from __future__ import annotations

import os
import subprocess
import time
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryError
from tests.integration.asking import eventually

from .garbage import (
    NOTES,
    OWN,
    PROGRAM,
    SERVICE,
    SETTLING,
    TIMER,
    Images,
    Pulls,
    asides,
    collect,
    drop_in,
    fill,
    killing,
    left,
    refused,
    result,
    stopped,
)
from .host import HOST
from .lab import DATA, changed, client, files, on_host, play, processes, said_differences
from .traffic import Halfway, push

pytestmark = [pytest.mark.lab, pytest.mark.wide]

OPTIONS: dict[str, t.Any] = {
    "registry_collect": "Sun 03:30",
    "registry_collect_recent_hours": 0,
    "registry_collect_untagged_days": 0,
    "registry_collect_refuse_seconds": 8,
}


def test_nothing_is_left_of_what_could_not_be_made_to_run(ca: str) -> None:
    before, running = files(), processes()
    play("--check", **OPTIONS)
    assert (files(), left()) == (before, "")
    with drop_in(TIMER, "[Unit]", "ConditionPathExists=/nowhere"):  # which keeps it from being active
        said = " ".join(play(ok=False, registry_patience=3, **OPTIONS).split())
    assert f"{TIMER} is inactive" in said
    assert "What was served before is served." in said
    assert (files(), left(), processes()) == (before, "", running)


@pytest.fixture(scope="module")
def collecting(ca: str) -> t.Iterator[str]:
    """The registry has its garbage collected; afterwards nothing of that is left."""
    with client(ca) as pushing:
        pushing.push_blob("registry-test/first", b"makes the directory of the images")
    before, running = files(), processes()
    play(**OPTIONS)
    assert processes() == running
    owned = on_host("stat", "--format", "%U:%G %a", NOTES).strip()
    assert owned == "docker-registry:docker-registry 755", "a backup claims it before the first collection"
    yield ca
    running = processes()
    output = play()
    assert set(said_differences(output)) >= {f"{path} is not wanted any more" for path in OWN}
    assert files() == before
    assert left() == ""
    assert changed(play()) == 0
    assert processes() == running


@pytest.fixture
def images(collecting: str, repository: str) -> Images:
    with client(collecting) as pushing:
        return fill(pushing, repository)


def test_clients_pull_and_uploads_end_while_writes_are_refused(
    collecting: str, repository: str, images: Images
) -> None:
    running = processes()
    halfway = Halfway(collecting, repository)
    halfway.send_half()
    with Pulls(collecting, repository, images) as pulls:
        on_host("systemctl", "start", "--no-block", SERVICE)
        eventually(lambda: refused(collecting, repository), 20)
        said = on_host(
            *("curl", "--silent", "--insecure", "--include", "--request", "POST"),
            "https://127.0.0.1:5000/v2/any/blobs/uploads/",
        )
        assert "HTTP/1.1 503" in said
        assert "Retry-After: 10" in said
        time.sleep(1)
        pulled = pulls.count
        halfway.send_rest()
        noted = result()
    assert pulls.failures == []
    assert pulled > 3
    assert noted["fault"] == ""
    assert noted["refused_seconds"] > 1
    assert noted["manifests"] >= 1
    assert noted["size"] > 400_000
    with client(collecting) as pulling:
        images.assert_collected(pulling, repository)
        # the very layer that was collected: the registry remembers nothing of it
        assert pulling.push_blob(repository, images.layer_bytes) == images.layer
        assert pulling.get_blob(repository, images.layer) == images.layer_bytes
        assert push(pulling, repository, images.layer_bytes, "again")
    assert processes() == running


SAID = 7  # lines, from the first look to the end
STEPS = [*(("_say", turn) for turn in range(SAID)), ("put_aside", 0), ("put_aside", 2), ("delete", 0), ("delete", 2)]


def test_a_collection_that_is_killed_leaves_every_image_whole_and_the_next_completes(
    collecting: str, repository: str, images: Images
) -> None:
    with Pulls(collecting, repository, images) as pulls:
        with killing(settles=True) as kill_at:
            for step, turn in STEPS:
                kill_at(step, turn)
                assert (asides(), refused(collecting, repository)) == ("", False), (step, turn)
                with client(collecting) as pushing:  # garbage for the next one
                    for _turn in range(2):
                        pushing.push_blob(repository, os.urandom(1000))
        with client(collecting) as pulling:
            images.assert_whole(pulling, repository)
        assert collect().returncode == 0
    assert pulls.failures == []
    assert result()["fault"] == ""
    with client(collecting) as pulling:
        images.assert_collected(pulling, repository)
        images.assert_whole(pulling, repository)


def test_what_a_loss_of_power_cut_off_is_ended_at_boot(collecting: str, repository: str, images: Images) -> None:
    """By a unit that is started as at boot: the service itself has no time to clean up."""
    with killing(settles=False) as kill_at:
        kill_at("put_aside", 3)
    assert len(asides().split()) == 3
    assert not refused(collecting, repository), "the system takes the file away that refuses writes"
    on_host("systemctl", "start", SETTLING)
    assert asides() == ""
    with client(collecting) as pulling:
        images.assert_whole(pulling, repository)
        assert pulling.head_manifest(repository, images.untagged) is not None
    assert on_host("systemctl", "is-enabled", SETTLING).strip() == "enabled"


def test_what_was_proved_is_deleted_after_boot_while_the_registry_serves(
    collecting: str, repository: str, images: Images
) -> None:
    with killing(settles=False) as kill_at:
        kill_at("delete", 1)
    assert asides()
    on_host("systemctl", "start", "--wait", SETTLING)
    assert asides() == ""
    assert on_host("systemctl", "show", "--property", "Result", "--value", SETTLING).strip() == "success"
    with client(collecting) as pulling:
        images.assert_whole(pulling, repository)
        images.assert_collected(pulling, repository)


def test_what_was_cut_off_is_ended_before_garbage_is_collected_no_more(
    collecting: str, repository: str, images: Images
) -> None:
    assert on_host("systemctl", "show", "--property", "TimeoutStopUSec", SERVICE).strip() == "TimeoutStopUSec=1d"
    with killing(settles=False) as kill_at:
        kill_at("put_aside", 3)
    there = left()
    with drop_in(SETTLING, "[Service]", "ExecStart=", "ExecStart=/bin/false"):
        said = " ".join(play(ok=False).split())
    on_host("systemctl", "reset-failed", SETTLING)
    assert f"'journalctl --unit {SETTLING}' says why" in said
    assert left() == there
    assert len(asides().split()) == 3
    play()
    assert (asides(), left()) == ("", "")
    with client(collecting) as pulling:
        images.assert_whole(pulling, repository)
        assert pulling.head_manifest(repository, images.untagged) is not None
    play(**OPTIONS)


def test_a_collection_that_cannot_note_its_end_is_warned_of(collecting: str) -> None:
    with drop_in(SERVICE, "[Service]", "ExecStart=", "ExecStart=/bin/sh -c 'kill -KILL $$$$'"):
        assert collect().returncode
    output = play(**OPTIONS)
    assert f"of {SERVICE} systemd says 'signal'" in " ".join(output.split())
    assert changed(output) == 0
    on_host("systemctl", "reset-failed", SERVICE)


def test_garbage_is_collected_on_a_full_disk(collecting: str, repository: str) -> None:
    with stopped(collecting):
        on_host("mount", "--types", "tmpfs", "--options", "size=8m", "tmpfs", DATA)
        on_host("chown", "docker-registry:docker-registry", DATA)
    try:
        with client(collecting) as pushing:
            images = fill(pushing, repository)
            on_host("sh", "-c", f"cat /dev/zero > {DATA}/fills; true")
            with pytest.raises(RegistryError, match=r"there is no room left on its disk, for .* Make room on its host"):
                pushing.push_blob(repository, os.urandom(100_000))
            assert collect().returncode == 0
            images.assert_whole(pushing, repository)
            images.assert_collected(pushing, repository)
            pushing.push_blob(repository, os.urandom(100_000))
    finally:
        with stopped(collecting):
            on_host("umount", DATA)


def test_a_second_collection_at_once_is_refused_and_an_upload_that_does_not_end_stops_the_first(
    collecting: str, repository: str, images: Images
) -> None:
    halfway = Halfway(collecting, repository)
    halfway.send_half()
    on_host("systemctl", "start", "--no-block", SERVICE)
    eventually(lambda: refused(collecting, repository), 20)
    start = on_host("systemctl", "show", "--property", "MainPID", "--value", SERVICE).strip()
    arguments = on_host("cat", f"/proc/{start}/cmdline").split("\0")[2:-1]
    second = subprocess.run(
        ["docker", "exec", HOST.container, "runuser", "-u", "docker-registry", "--", PROGRAM, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (second.returncode, second.stdout) == (75, "a collection is under way already\n")
    assert refused(collecting, repository), "it lets no writes through that the other refuses"
    noted = result()
    halfway.send_rest()
    assert not refused(collecting, repository)
    assert noted["fault"].startswith("1 upload did not end while writes were refused")
    assert 8 <= noted["refused_seconds"] < 20
    output = play(**OPTIONS)
    assert changed(output) == 0
    assert "collected nothing: 1 upload did not end while writes were refused." in " ".join(output.split())
    with client(collecting) as pulling:
        assert pulling.head_manifest(repository, images.untagged) is not None


def test_the_playbook_shows_what_came_of_it(collecting: str, repository: str, images: Images) -> None:
    output = play(playbook="collect_garbage")
    assert changed(output) == 1
    assert '"refused_seconds": ' in output
    output = play("--check", playbook="collect_garbage")
    assert changed(output) == 0
    assert "refused_seconds" not in output, "which is the last one's"
    with drop_in(SERVICE, "[Service]", "ExecStart=", "ExecStart=/bin/sh -c 'kill -KILL $$$$'"):
        output = play(playbook="collect_garbage", ok=False)
    on_host("systemctl", "reset-failed", SERVICE)
    assert changed(output) == 0
    assert "refused_seconds" not in output
    assert f"journalctl --unit {SERVICE} has all of it" in " ".join(output.split())
    with stopped(collecting):
        output = play(playbook="collect_garbage", ok=False)
    assert changed(output) == 0
    assert f"not collected on {HOST.name}: the registry does not answer on 127.0.0.1 port 5001" in " ".join(
        output.split()
    )


def test_drift_is_put_right(collecting: str) -> None:
    before = on_host("sha256sum", *OWN)
    on_host(
        "sh",
        "-c",
        f"echo '# by hand' >> {PROGRAM}; sed -i s/Sun/Mon/ {OWN[-1]}; systemctl disable --quiet --now {TIMER} {SETTLING}",
    )
    output = play(**OPTIONS)
    assert set(said_differences(output)) == {
        f"{PROGRAM} has another content",
        f"{OWN[-1]} has another content",
        f"{TIMER} is inactive",
        f"{TIMER} would not start with the host",
        f"{SETTLING} would not start with the host",
    }
    assert on_host("sha256sum", *OWN) == before
    assert changed(play(**OPTIONS)) == 0
    wrong = play(ok=False, **{**OPTIONS, "registry_collect": "now and then", "registry_collect_recent_hours": -1})
    said = " ".join(wrong.split())
    assert "systemd does not take for a calendar expression" in said
    assert "registry_collect_recent_hours is -1" in said
    assert changed(wrong) == 0
