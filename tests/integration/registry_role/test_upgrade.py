# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The registry is upgraded to release 3 and back, with one restart's outage; a program that does not serve all is not kept."""

from __future__ import annotations

import os
import re
import time
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from tests.lab.builds import build
from tests.lab.engine import docker
from tests.lab.places import Places

from .host import HOST
from .lab import BACKEND, changed, client, on_host, play, processes
from .traffic import Pulls, pull_strictly, push

pytestmark = [pytest.mark.lab, pytest.mark.wide]

DIRECTORY = "/usr/local/lib/registry-upgrade"
PROGRAM, BLIND = f"{DIRECTORY}/registry", f"{DIRECTORY}/blind"
# it says that it is a registry, and has no images
BLIND_TEXT = f"""#!/bin/sh
if [ "$1" = --version ]; then
    exec {PROGRAM} --version
fi
REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=/usr/local/lib/registry-upgrade exec {PROGRAM} "$@"
"""
BETWEEN = 1.0  # seconds from one pull to the next, with its connection, on a machine that does other things too


@pytest.fixture
def programs(ca: str) -> t.Iterator[str]:
    """Release 3 is on the host, and a program that looks like it; afterwards the registry is the package's again."""
    built = build(["registry"], Places.of_user().root, print)["registry"] / "registry"
    on_host("mkdir", "--parents", DIRECTORY)
    docker("cp", str(built), f"{HOST.container}:{PROGRAM}")
    on_host("tee", BLIND, stdin=BLIND_TEXT)
    on_host("chmod", "755", BLIND)
    yield ca
    if runs() != "/usr/bin/docker-registry":
        play()
    on_host("rm", "--recursive", DIRECTORY)


def runs() -> str:
    return on_host("readlink", f"/proc/{processes()[BACKEND]}/exe").strip()


def upgraded(ca: str, repository: str, image: ManifestDigest, **options: t.Any) -> str:
    """Upgrade while a client pulls; it fails no longer than the run says."""
    failed: list[float] = []

    def pull() -> None:
        try:
            pull_strictly(ca, repository, image)
        except Exception:
            failed.append(time.monotonic())

    with Pulls(pull) as pulls:
        output = play(playbook="upgrade_registry", **options)
    (outage,) = re.findall(r'"outage_seconds": ([0-9.]+)', output)
    assert pulls.count > 10
    assert 0 < float(outage) < 5
    assert not failed or max(failed) - min(failed) < float(outage) + BETWEEN
    return output


def test_it_serves_the_same_by_the_other_program_and_by_the_one_before(
    programs: str, repository: str, image: ManifestDigest
) -> None:
    output = upgraded(programs, repository, image, registry_program=PROGRAM)
    assert '"version": "v3.1.2"' in output
    assert re.search(r'"proved": [1-9]', output)
    assert runs() == PROGRAM
    with client(programs) as pushing:
        newer = push(pushing, repository, os.urandom(1000), "newer")

    said = " ".join(play(playbook="upgrade_registry", ok=False, registry_program=BLIND).split())
    assert f"{BACKEND} was started anew, and does not serve what it did: " in said
    assert "What was served before is served." in said
    assert runs() == PROGRAM
    pull_strictly(programs, repository, newer)

    assert '"version": "2.8' in upgraded(programs, repository, image)
    assert runs() == "/usr/bin/docker-registry"
    pull_strictly(programs, repository, newer)
    with client(programs) as deleting:
        deleting.delete_manifest(repository, newer)
    assert changed(play(playbook="upgrade_registry")) == 0
