# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two registries on one host: neither run changes anything of the other, and what both need stays until the last one goes."""

from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings

from .lab import ADDRESS, BACKEND, DATA, LOGIN, NGINX, REGISTRY, SITE, changed, client, on_host, play
from .traffic import push

pytestmark = [pytest.mark.lab, pytest.mark.wide]

NAME = "tenletters"
# with all that nginx has names for
NAMES: dict[str, t.Any] = {"registry_anonymous_pull": True, "registry_collect": "Sun 03:30", "registry_plain_too": True}
OTHER: dict[str, t.Any] = {
    **NAMES,
    "registry_instance": NAME,
    "longshore_registry": {**REGISTRY, "endpoint": f"{ADDRESS}:5010"},
    "registry_connections": 8192,
}
OTHERS_DATA, OTHERS_SITE = f"{DATA}-{NAME}", SITE.replace(".conf", f"-{NAME}.conf")
NGINX_FILE = "/etc/nginx/nginx.conf"
PACKAGES = {"docker-registry", "nginx", "apache2-utils"}


def other() -> RegistryClient:
    ca = on_host("cat", f"/etc/longshore/registry-{NAME}/ca.crt")
    return RegistryClient(RegistrySettings.from_params({"endpoint": f"{ADDRESS}:5010", "ca": ca, **LOGIN}))


def there(*paths: str) -> list[str]:
    return on_host("sh", "-c", f"ls -d {' '.join(paths)} 2>/dev/null || true").split()


def installed() -> set[str]:
    said = on_host("sh", "-c", f"dpkg-query -W -f '${{Package}} ${{db:Status-Status}}\\n' {' '.join(PACKAGES)} || true")
    return {line.split()[0] for line in said.splitlines() if line.endswith(" installed")}


def pid(unit: str) -> str:
    return on_host("systemctl", "show", "--property", "MainPID", "--value", unit).strip()


@pytest.fixture
def both(ca: str) -> t.Iterator[str]:
    """Two registries, each with its own settings; afterwards there is the first one as it was, and nothing of the other."""
    play(**NAMES)
    play(**OTHER)
    yield ca
    play(registry_state="absent", registry_remove_data=True, **OTHER)
    play()
    assert changed(play()) == 0
    assert there("/etc/systemd/system/*tenletters*", "/etc/longshore/*tenletters*", f"{OTHERS_DATA}*") == []
    assert there("/var/log/nginx/*tenletters*", "/var/lib/longshore/*tenletters*.json") == []


def day_two_of_the_other(second: RegistryClient, repository: str, digest: ManifestDigest) -> None:
    """What the playbooks of one registry do with the one that the variables describe."""
    backup: dict[str, t.Any] = {"registry_backup": f"/var/tmp/backup-{NAME}"}
    kept = on_host("sh", "-c", f"find {DATA} -type f -exec sha256sum {{}} + | sort")
    said = play(playbook="back_up_registry", **backup, **OTHER)
    assert re.search(r'"repositories": 1\b', said), "of the other alone"
    later = push(second, repository, b"later", "later")
    assert f"would lose it: {repository}:later" in " ".join(
        play(playbook="restore_registry", ok=False, **backup, **OTHER).split()
    )
    play(playbook="restore_registry", registry_restore_discard=True, **backup, **OTHER)
    assert second.head_manifest(repository, "later") is None
    assert str(second.get_manifest(repository, "1").digest) == str(digest) != str(later)
    assert '"fault": ""' in play(playbook="collect_garbage", **OTHER)
    assert '"version": "' in play(playbook="upgrade_registry", **OTHER)
    assert on_host("sh", "-c", f"find {DATA} -type f -exec sha256sum {{}} + | sort") == kept
    on_host("rm", "-r", backup["registry_backup"])


@pytest.mark.rare
def test_two_registries_on_a_host(both: str, repository: str) -> None:
    running = [pid(NGINX), pid(BACKEND), pid(f"longshore-registry-{NAME}.service")]
    assert changed(play(**NAMES)) == 0
    assert changed(play(**OTHER)) == 0
    assert "worker_connections 8192; # 768 before the role" in on_host("cat", NGINX_FILE)
    with client(both) as first, other() as second:
        digest = push(second, repository, b"the other's", "1")
        assert first.head_manifest(repository, "1") is None
        assert second.head_manifest(repository, "1") is not None

    taken = {"registry_backend_port": 5001, "registry_data": DATA, "registry_metrics_port": 5000}
    said = " ".join(play(ok=False, **{**OTHER, **taken}).split())
    for words in (
        "Port 5000 (registry_metrics_port) is one of the registry without a registry_instance",
        "Port 5001 (registry_backend_port) is one of the registry without a registry_instance",
        f"registry_data {DATA} and the images of the registry without a registry_instance, in {DATA}",
    ):
        assert words in said
    assert "Port 5010 (registry_endpoint) is one of the instance 'tenletters'" in " ".join(
        play(ok=False, longshore_registry=OTHER["longshore_registry"]).split()
    )
    assert "registry_instance is 'plain'" in play(ok=False, **{**OTHER, "registry_instance": "plain"})
    assert [pid(NGINX), pid(BACKEND), pid(f"longshore-registry-{NAME}.service")] == running

    with other() as second:
        day_two_of_the_other(second, repository, digest)
    assert [pid(NGINX), pid(BACKEND), pid(f"longshore-registry-{NAME}.service")] == running

    gone = " ".join(play(registry_state="absent").split())
    assert f"package docker-registry, which the instance '{NAME}' (registry_instance) needs" in gone
    assert (there(SITE, OTHERS_SITE), installed()) == ([OTHERS_SITE], PACKAGES)
    assert [pid(NGINX), pid(f"longshore-registry-{NAME}.service")] == [running[0], running[2]]
    with other() as second:
        assert second.head_manifest(repository, digest) is not None
    assert changed(play(**OTHER)) == 0
    assert changed(play(registry_state="absent")) == 0

    play(registry_state="absent", registry_remove_data=True, **OTHER)
    assert (there(SITE, OTHERS_SITE, OTHERS_DATA), installed()) == ([], set())
    assert "before the role" not in on_host("cat", NGINX_FILE)
    assert there("/etc/systemd/system/docker-registry.service") == []
