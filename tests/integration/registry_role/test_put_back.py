# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A change whose later step fails: everything is put back, with owners and modes, and clients notice as little as can be."""

from __future__ import annotations

import os
import typing as t

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryError

from .lab import (
    BACKEND,
    CONFIGURATION,
    DATA,
    DIRECTORY,
    NGINX,
    SITE,
    UNIT,
    changed,
    client,
    files,
    meanwhile,
    on_host,
    play,
    processes,
    served_certificate,
)
from .traffic import Traffic

pytestmark = [pytest.mark.lab, pytest.mark.wide]

DEV = {"username": "dev", "password": "another-password"}
NEW_DATA = "/var/lib/registry-test"
OF_ANOTHER = "/etc/nginx/conf.d/another.conf"
# a change that concerns everything: users, certificate, site, both services, the directory of the images
EVERYTHING = {
    "registry_users": [{"name": "dev", "password": DEV["password"]}],
    "registry_names": ["registry.lab.example"],
    "registry_backend_port": 5003,
    "registry_data": NEW_DATA,
}
BREAKS_NGINX = f"until grep -q ^dev: {DIRECTORY}/htpasswd; do sleep 0.01; done; echo broken > {OF_ANOTHER}"
TAKES_THE_PORT = (
    f"until [ -d {DIRECTORY}/before ]; do sleep 0.01; done; "
    "exec python3 -c 'import signal, socket; taken = socket.create_server((\"127.0.0.1\", 5003)); signal.pause()'"
)


@pytest.fixture
def odd_modes(ca: str) -> t.Iterator[None]:
    """Owners and modes that the role corrects, and has to put back when it fails later."""
    certificate = f"{DIRECTORY}/server.crt"
    modes = {SITE: "600", UNIT: "600", certificate: "604", DATA: "750", DIRECTORY: "711"}
    usual = {path: on_host("stat", "--format", "%a", path).strip() for path in modes}
    owner = on_host("stat", "--format", "%U:%G", CONFIGURATION).strip()
    for path, mode in modes.items():
        on_host("chmod", mode, path)
    on_host("chown", "www-data:adm", CONFIGURATION)
    yield
    for path, mode in usual.items():
        on_host("chmod", mode, path)
    on_host("chown", owner, CONFIGURATION)


def failing(script: str, **change: t.Any) -> str:
    with meanwhile(script):
        output = play("-v", ok=False, **change)
    for secret in (DEV["password"], "$2y$", "PRIVATE KEY"):
        assert secret not in output
    return " ".join(output.split())


def all_is_as_before(ca: str, before: dict[str, str], certificate: str, said: str) -> None:
    assert files() == before
    assert on_host("find", os.path.dirname(NEW_DATA), "-path", NEW_DATA) == ""
    assert served_certificate() == certificate
    with client(ca) as asking:
        asking.ping()
    with client(ca, DEV) as asking, pytest.raises(RegistryError) as refused:
        asking.ping()
    assert refused.value.kind == "unauthorized"
    assert "was not changed as wanted" in said
    assert "The files on the host are as they were before, with their owners and modes." in said
    assert "What was served before is served." in said


def test_what_nginx_refuses_is_put_back_without_a_failed_request(
    ca: str, repository: str, image: ManifestDigest, odd_modes: None
) -> None:
    before, running, certificate = files(), processes(), served_certificate()
    with Traffic(ca, repository, image) as traffic:
        said = failing(BREAKS_NGINX, **EVERYTHING)
    on_host("rm", OF_ANOTHER)
    assert traffic.failures == []
    assert f"in {OF_ANOTHER}" in said, "what nginx says"
    all_is_as_before(ca, before, certificate, said)
    assert processes() == running


def test_a_registry_that_does_not_come_up_is_put_back(ca: str, odd_modes: None) -> None:
    before, running, certificate = files(), processes(), served_certificate()
    said = failing(TAKES_THE_PORT, **EVERYTHING)
    assert "listen tcp 127.0.0.1:5003: bind: address already in use" in said
    all_is_as_before(ca, before, certificate, said)
    assert processes()[NGINX] == running[NGINX], "it was reloaded"


@pytest.fixture
def stopped(ca: str) -> t.Iterator[None]:
    on_host("systemctl", "disable", "--quiet", "--now", NGINX, BACKEND)
    yield
    on_host("systemctl", "enable", "--quiet", "--now", NGINX, BACKEND)


def test_what_did_not_run_before_does_not_run_after(stopped: None) -> None:
    before = files()
    said = failing(TAKES_THE_PORT, registry_backend_port=5003)
    assert files() == before
    states = on_host("systemctl", "show", "--property", "ActiveState,UnitFileState", "--value", NGINX, BACKEND)
    assert states.split() == ["inactive", "disabled"] * 2
    assert "What was served before is served." in said


def test_what_fails_first_is_put_back(ca: str) -> None:
    before, running = files(), processes()
    output = play(ok=False, registry_data="/proc/1/longshore")
    assert (
        "was not changed as wanted: at 'Make the directories that are missing', /proc/1/longshore cannot be made as wanted"
        in " ".join(output.split())
    )
    assert (files(), processes()) == (before, running)
    assert changed(play()) == 0
