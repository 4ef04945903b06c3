# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The registry's host boots again: the registry is back with its images and takes new ones, and nobody came to start it."""

from __future__ import annotations

import os

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.digest import BlobDigest, ManifestDigest
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryError
from tests.integration.asking import eventually
from tests.lab.engine import docker
from tests.lab.health import inactive_services

from .host import BOOT_SECONDS, HOST
from .lab import changed, client, files, on_host, play

pytestmark = pytest.mark.lab


def booted() -> str:
    """When the host's systemd began."""
    return on_host("systemctl", "show", "--property", "UserspaceTimestampMonotonic")


def test_the_registry_is_back_after_a_reboot_of_its_host(ca: str, repository: str, image: ManifestDigest) -> None:
    def serves() -> bool:
        try:
            with client(ca) as pulling:
                (layer,) = pulling.get_manifest(repository, image).document["layers"]
                return bool(pulling.get_blob(repository, BlobDigest.parse(layer["digest"])))
        except RegistryError:
            return False

    before, boot = files(), booted()
    assert serves()
    docker("restart", HOST.container)
    eventually(serves, BOOT_SECONDS)
    assert booted() != boot
    with client(ca) as pushing:
        pushing.push_blob(repository, os.urandom(1000))
    eventually(lambda: inactive_services(HOST) == [], BOOT_SECONDS)
    assert files() == before
    assert changed(play()) == 0
