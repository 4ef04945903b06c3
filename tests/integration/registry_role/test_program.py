# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Another program than the package's as the registry: a release 3 that is on the host already."""

from __future__ import annotations

import os
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from tests.lab.builds import build
from tests.lab.engine import docker
from tests.lab.places import Places

from .host import HOST
from .lab import BACKEND, DATA, changed, client, files, on_host, play, processes, said_differences
from .traffic import push

pytestmark = [pytest.mark.lab, pytest.mark.wide]

PROGRAM = "/usr/local/lib/registry-3/registry"
OPTIONS: dict[str, t.Any] = {"registry_program": PROGRAM}


@pytest.fixture(scope="module")
def program(ca: str) -> t.Iterator[str]:
    """Distribution 3 is on the host; afterwards the registry is the package's again."""
    built = build(["registry"], Places.of_user().root, print)["registry"] / "registry"
    on_host("mkdir", "--parents", os.path.dirname(PROGRAM))
    docker("cp", str(built), f"{HOST.container}:{PROGRAM}")
    yield ca
    play()
    assert runs() == "/usr/bin/docker-registry"
    on_host("rm", "--recursive", os.path.dirname(PROGRAM))


def runs() -> str:
    return on_host("readlink", f"/proc/{processes()[BACKEND]}/exe").strip()


def test_what_is_no_registry_or_not_there_is_refused(ca: str) -> None:
    before, running = files(), processes()
    for place, words in (
        ("/bin/bash", "is no registry that can be run, since --version makes it say: GNU bash"),
        ("/usr/local/bin/no-registry", "is not on this host"),
        ("/root/registry", "Permission denied"),
    ):
        if place.startswith("/root"):
            on_host("cp", "/usr/bin/docker-registry", place)
        output = play(ok=False, registry_program=place)
        assert f"registry_program {place} is" in " ".join(output.split())
        assert words in " ".join(output.split())
        assert changed(output) == 0
    on_host("rm", "/root/registry")
    assert (files(), processes()) == (before, running)


@pytest.mark.rare
def test_it_serves_what_the_other_kept_and_a_replaced_one_is_noticed(
    program: str, repository: str, image: ManifestDigest
) -> None:
    output = play("-v", **OPTIONS)
    assert "longshore-registry.service runs another configuration" in said_differences(output)
    assert f'"path": "{PROGRAM}"' in output
    assert '"version": "v3.1.2"' in output
    assert runs() == PROGRAM
    with client(program) as pulling:
        (layer,) = pulling.get_manifest(repository, image).layers
        assert layer.matches(pulling.get_blob(repository, layer))
        newer = push(pulling, repository, os.urandom(1000), "newer")
        assert pulling.delete_manifest(repository, newer)
    running = processes()
    assert changed(play(**OPTIONS)) == 0

    on_host("sh", "-c", f"cp {PROGRAM} {PROGRAM}.new && mv {PROGRAM}.new {PROGRAM}")
    output = play(**OPTIONS)
    assert said_differences(output) == [f"{BACKEND} runs another program than {PROGRAM} is now"]
    assert changed(output) == 1
    assert {name for name, pid in processes().items() if pid != running[name]} == {BACKEND}
    assert changed(play(**OPTIONS)) == 0


@pytest.mark.rare
def test_it_needs_no_package_and_its_user_is_made(program: str, repository: str, image: ManifestDigest) -> None:
    play(**OPTIONS)
    on_host("systemctl", "stop", BACKEND)
    on_host("dpkg", "--remove", "docker-registry")
    on_host("sh", "-c", f"userdel docker-registry; chown --recursive 4711:4711 {DATA}")
    output = play(**OPTIONS)
    assert "there is no user docker-registry" in said_differences(output)
    assert on_host("getent", "passwd", "docker-registry").strip().endswith(f":{DATA}:/usr/sbin/nologin")
    with client(program) as pushing:
        assert pushing.head_manifest(repository, image) is not None
        pushing.push_blob(repository, os.urandom(1000))
    assert changed(play(**OPTIONS)) == 0
    assert on_host("dpkg-query", "--show", "--showformat", "${Status}", "docker-registry").startswith("deinstall")
    assert "traces export" not in on_host("journalctl", "--unit", BACKEND, "--output", "cat")
