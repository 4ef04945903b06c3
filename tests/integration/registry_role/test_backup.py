# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The registry is backed up while clients pull and push, and comes back: onto a host that lost it, and in place of another."""

from __future__ import annotations

import json
import os
import re
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryError

from .lab import BACKEND, DATA, DIRECTORY, NGINX, changed, client, on_host, play
from .traffic import Traffic, push

pytestmark = [pytest.mark.lab, pytest.mark.wide]

BACKUP = "/srv/backup"
OPTIONS: dict[str, t.Any] = {"registry_backup": BACKUP, "registry_backup_keys": True}
KEYS = [f"{DIRECTORY}/{name}" for name in ("ca.crt", "ca.key", "server.crt", "server.key")]


def shown(output: str, name: str) -> dict[str, t.Any]:
    """The result that a playbook shows at its end."""
    found = re.search(rf'"{name}": (\{{.*?^    \}})', output, re.DOTALL | re.MULTILINE)
    assert found, output
    said: dict[str, t.Any] = json.loads(found[1])
    return said


@pytest.fixture(scope="module", autouse=True)
def away() -> t.Iterator[None]:
    yield
    on_host("rm", "-rf", BACKUP, f"{DATA}/.longshore-backups")


def test_it_is_backed_up_while_clients_push_and_comes_back_to_a_host_that_lost_all_of_it(
    ca: str, repository: str, image: ManifestDigest
) -> None:
    with Traffic(ca, repository, image) as traffic:
        first = shown(play(playbook="back_up_registry", **OPTIONS), "registry_backed_up")
        traffic.wait_for(5)
        second = shown(play(playbook="back_up_registry", **OPTIONS), "registry_backed_up")
    assert traffic.failures == []
    assert (first["missing"], second["missing"]) == ([], [])
    assert 0 < second["copied"] < second["blobs"], "what was there is not copied again"
    output = play(playbook="back_up_registry", **OPTIONS)
    last = shown(output, "registry_backed_up")
    assert changed(play(playbook="back_up_registry", **OPTIONS)) == 0
    assert on_host("stat", "--format", "%a %U", BACKUP).split() == ["700", "root"]

    keys = on_host("sha256sum", *KEYS)
    on_host("systemctl", "stop", BACKEND, NGINX)
    on_host("sh", "-c", f"rm -r {DATA} {DIRECTORY}")
    assert changed(play("--check", playbook="restore_registry", **OPTIONS)) > 0
    assert on_host("sh", "-c", f"ls {DATA} {DIRECTORY} 2>/dev/null || true") == ""
    done = shown(play(playbook="restore_registry", **OPTIONS), "registry_restored_images")
    assert (done["snapshot"], done["lost"]) == (last["snapshot"], [])
    assert done["proved"] >= last["manifests"]
    assert on_host("sha256sum", *KEYS) == keys, "clients go on trusting it"
    assert changed(play(playbook="restore_registry", **OPTIONS)) == 0
    with client(ca) as pulling:
        (layer,) = pulling.get_manifest(repository, image).layers
        assert layer.matches(pulling.get_blob(repository, layer))
        after = push(pulling, repository, os.urandom(1000), "after")
        assert pulling.delete_manifest(repository, after)
    assert changed(play()) == 0


def test_what_came_since_is_lost_only_if_it_may(ca: str, repository: str, image: ManifestDigest) -> None:
    play(playbook="back_up_registry", **OPTIONS)
    with client(ca) as pushing:
        newer = push(pushing, repository, os.urandom(1000), "newer")
    said = " ".join(play(playbook="restore_registry", ok=False, **OPTIONS).split())
    assert f"would lose it: {repository}:newer. Back it up first" in said
    output = play(playbook="restore_registry", registry_restore_discard=True, **OPTIONS)
    assert shown(output, "registry_restored_images")["copied"] == 0, "what is there is linked"
    with client(ca) as pulling:
        assert pulling.head_manifest(repository, "1") is not None
        with pytest.raises(RegistryError) as refused:
            pulling.get_manifest(repository, newer)
    assert refused.value.kind == "not_found"


def test_damage_is_mended_and_old_snapshots_are_forgotten_when_asked(
    ca: str, repository: str, image: ManifestDigest
) -> None:
    before = shown(play(playbook="back_up_registry", **OPTIONS), "registry_backed_up")["snapshot"]
    copy = f"{BACKUP}/blobs/{str(image).replace(':', f'/{image.encoded[:2]}/')}"
    on_host("sh", "-c", f"printf x | dd of={copy} conv=notrunc status=none")
    with client(ca) as pushing:
        push(pushing, repository, os.urandom(1000), "1")
        done = play(playbook="back_up_registry", registry_backup_keep=1, registry_backup_reread=True, **OPTIONS)
        pushing.delete_manifest(repository, pushing.get_manifest(repository, "1").digest)
    said = shown(done, "registry_backed_up")
    assert before in said["forgotten"]
    assert said["copied"] == 3, "layer, manifest and what was damaged"
    asked = play(playbook="restore_registry", ok=False, registry_restore_snapshot=before, **OPTIONS)
    assert f"has no snapshot {before}; there are {said['snapshot']}" in " ".join(asked.split())


def test_a_disk_that_is_too_small_is_told_and_holds_no_half_of_a_backup(ca: str, image: ManifestDigest) -> None:
    on_host("mkdir", "--parents", "/srv/small")
    on_host("mount", "--types", "tmpfs", "--options", "size=1200k", "tmpfs", "/srv/small")
    try:
        said = play(playbook="back_up_registry", ok=False, registry_backup="/srv/small/backup")
        assert re.search(r"blobs? would take \d+ MiB, and where it goes, at /srv/small/backup, \d MiB are free", said)
        assert on_host("find", "/srv/small/backup", "-name", "*.json") == ""
        on_host("mount", "-o", "remount,size=64m", "/srv/small")
        assert changed(play(playbook="back_up_registry", registry_backup="/srv/small/backup")) == 1
    finally:
        on_host("umount", "/srv/small")
    try:
        said = " ".join(play(playbook="back_up_registry", ok=False, registry_backup="/srv/small/backup").split())
        assert (
            "/srv/small/backup had a backup of this registry and has none now: perhaps its disk is not mounted" in said
        )
        assert on_host("ls", "-A", "/srv/small") == ""
    finally:
        on_host("rm", f"{DATA}/.longshore-backups")
