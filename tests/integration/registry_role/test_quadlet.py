# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The registry in a container of a Podman that comes to have quadlets, as by an upgrade across 4.4."""

from __future__ import annotations

import typing as t
from functools import partial
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from tests.integration.asking import eventually
from tests.lab.builds import build
from tests.lab.engine import docker
from tests.lab.places import Places

from .host import BOOT_SECONDS, HOST
from .lab import BACKEND, DATA, DIRECTORY, SITE, UNIT, changed, on_host, play, processes, said_differences
from .test_container_backend import IMAGE, assert_confined, containers, has, load, options

pytestmark = [pytest.mark.lab, pytest.mark.wide, pytest.mark.rare]

QUADLET = "/etc/containers/systemd/longshore-registry.container"
GENERATOR = "/usr/lib/systemd/system-generators/podman-system-generator"
WANTS = f"/etc/systemd/system/multi-user.target.wants/{BACKEND}"
# that nothing serves: the registry does not come up with it
NOWHERE = {"registry_s3": {"bucket": "images", "endpoint": "http://127.0.0.1:9"}}
PUT_BACK = "What was served before is served."


@pytest.fixture
def podman(ca: str, tmp_path: Path) -> t.Iterator[dict[str, t.Any]]:
    """The options of a registry that runs in a container of Debian's Podman, by a unit; afterwards it is the package's again."""
    load("podman", tmp_path)
    wanted = options("podman")
    play(**wanted)
    yield wanted
    play()
    assert on_host("sh", "-c", f"ls -d {QUADLET} /run/systemd/generator/{BACKEND} 2>/dev/null || true") == ""
    assert properties("FragmentPath", "UnitFileState") == [UNIT, "enabled"]
    assert (containers("podman"), leftovers()) == ([], "")
    on_host("podman", "image", "rm", "--force", IMAGE)
    if GENERATOR in on_host("sh", "-c", f"ls {GENERATOR} 2>/dev/null || true"):
        on_host("rm", GENERATOR, "/usr/libexec/podman/quadlet")
        on_host("mv", "/srv/podman", "/usr/bin/podman")


def upgrade() -> None:
    """The host's Podman becomes one with quadlets."""
    built = build(["podman"], Places.of_user().root, print)["podman"]
    on_host("mv", "/usr/bin/podman", "/srv/podman")
    docker("cp", str(built / "podman"), f"{HOST.container}:/usr/bin/podman")
    on_host("mkdir", "--parents", "/usr/libexec/podman", GENERATOR.rpartition("/")[0])
    docker("cp", str(built / "quadlet"), f"{HOST.container}:/usr/libexec/podman/quadlet")
    on_host("ln", "--symbolic", "/usr/libexec/podman/quadlet", GENERATOR)


def properties(*names: str) -> list[str]:
    said = on_host("systemctl", "show", "--property", ",".join(names), BACKEND).splitlines()
    found = dict(line.split("=", 1) for line in said)
    return [found[name] for name in names]


def assert_generated() -> None:
    fragment, source, state = properties("FragmentPath", "SourcePath", "UnitFileState")
    assert fragment.startswith("/run/systemd/generator/")
    assert (source, state) == (QUADLET, "generated")
    assert on_host("sh", "-c", f"ls -d {UNIT} {WANTS} 2>/dev/null || true") == ""


def runs_another_than(left: list[str]) -> bool:
    return containers("podman") not in ([], left)


def leftovers() -> str:
    return on_host("sh", "-c", "ls -d /run/longshore-registry /run/longshore-registry.cid 2>/dev/null || true")


def as_written() -> str:
    """What the role sets on the host's disk, with owner, mode and content."""
    places = f"{DIRECTORY} {SITE} {UNIT} {QUADLET}"
    listed = (
        f"find {places} {DATA} -maxdepth 1 -printf '%p %y %U:%G %m\\n'; find {places} -type f -exec sha256sum {{}} +"
    )
    return on_host("sh", "-c", f"({listed}) 2>/dev/null | sort")


def test_a_registry_moves_to_a_quadlet_and_back(
    ca: str, podman: dict[str, t.Any], repository: str, image: ManifestDigest
) -> None:
    before, running = as_written(), processes()
    said = " ".join(play(ok=False, **podman, registry_quadlet="always").split())
    assert "systemd has no podman-system-generator on this host" in said
    upgrade()
    assert changed(play(**podman, registry_quadlet="never")) == 0
    assert (as_written(), processes()) == (before, running)

    # what does not come up as a quadlet is the unit again
    assert PUT_BACK in " ".join(play(ok=False, **podman, **NOWHERE).split())
    assert as_written() == before
    assert properties("FragmentPath", "UnitFileState") == [UNIT, "enabled"]
    assert has(ca, repository, image)

    assert set(said_differences(play(**podman))) == {
        f"{UNIT} is not wanted any more",
        f"{QUADLET} is missing",
        f"{BACKEND} runs another configuration",
    }
    assert_generated()
    assert properties("NRestarts") == ["0"]
    assert has(ca, repository, image)
    assert_confined("podman")
    logged = ["journalctl", f"_SYSTEMD_UNIT={BACKEND}", "--output", "cat", "--lines", "30"]
    eventually(lambda: "version=v3.1.2" in on_host(*logged))
    before, running = as_written(), processes()
    assert changed(play(**podman)) == 0
    assert (as_written(), processes()) == (before, running)

    for kill in (
        ["systemctl", "kill", "--kill-whom=main", "--signal=KILL", BACKEND],
        ["podman", "rm", "--force", "longshore-registry"],
    ):
        left = containers("podman")
        on_host(*kill)
        eventually(partial(runs_another_than, left), 30)
        eventually(partial(has, ca, repository, image), 30)

    # of which Podman makes no unit: nothing is stopped for it
    running = processes()
    on_host("podman", "tag", IMAGE, f"{IMAGE}.image")
    said = " ".join(play(ok=False, **{**podman, "registry_image": f"{IMAGE}.image"}).split())
    on_host("podman", "untag", IMAGE, f"{IMAGE}.image")
    assert f"Podman makes no unit of {QUADLET}; {GENERATOR} says: converting" in said
    assert "requested Quadlet image" in said
    assert PUT_BACK in said
    assert (as_written(), properties("MainPID")) == (before, [running[BACKEND]])

    # what does not come up as a unit is the quadlet again
    assert PUT_BACK in " ".join(play(ok=False, **podman, registry_quadlet="never", **NOWHERE).split())
    assert as_written() == before
    assert_generated()
    assert has(ca, repository, image)

    docker("restart", HOST.container)
    eventually(lambda: has(ca, repository, image), BOOT_SECONDS)
    on_host("sh", "-c", f"systemctl stop {BACKEND}; echo '# by hand' >> {QUADLET}; touch {UNIT}")
    assert containers("podman") == []
    assert {f"{QUADLET} has another content", f"{UNIT} is not wanted any more"} <= {*said_differences(play(**podman))}
    assert_generated()
    assert as_written() == before

    play(registry_state="absent", **podman)
    assert on_host("sh", "-c", f"ls -d {QUADLET} {SITE} /etc/containers/systemd 2>/dev/null || true") == ""
    assert properties("LoadState") == ["not-found"]
    assert (containers("podman"), leftovers()) == ([], "")
    play(**podman)
    assert_generated()
    assert has(ca, repository, image)
