# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The registry that the role makes on a host of these tests, and an image in it."""

from __future__ import annotations

import os
import typing as t
import uuid
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.digest import ManifestDigest
from tests.unit.module_utils.registry.certificates import Certificates

from .host import running
from .lab import client, on_host, play
from .traffic import push


@pytest.fixture(scope="package")
def host() -> t.Iterator[None]:
    """A host that never had a registry."""
    with running():
        yield


@pytest.fixture(scope="package")
def ca(host: None) -> str:
    """The registry is there, as the role makes it; a test that changes it puts it right again."""
    play()
    return on_host("cat", "/etc/longshore/registry/ca.crt")


@pytest.fixture(scope="module")
def repository() -> str:
    return f"registry-test/{uuid.uuid4().hex}"


@pytest.fixture
def image(ca: str, repository: str) -> t.Iterator[ManifestDigest]:
    """A small image that is pushed before and deleted after each test."""
    with client(ca) as pushing:
        digest = push(pushing, repository, os.urandom(200_000), "1")
        yield digest
        pushing.delete_manifest(repository, digest)


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path)
