# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a base image that a registry alone holds has carried out by ONBUILD, read in real registries."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.build.served_triggers import served_triggers
from ansible_collections.longshore.delivery.plugins.module_utils.reference import Reference
from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.manifest import OCI_INDEX, OCI_MANIFEST
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from tests.unit.module_utils.registry.certificates import Certificates
from tests.unit.module_utils.registry.conftest import StartRegistry
from tests.unit.module_utils.registry.servers import PASSWORD, USERNAME

AMD, ARM = "linux/amd64", "linux/arm64"
TRIGGERS = ("COPY package /", "RUN make")


def push(registry: dict[str, t.Any], **on_build: t.Sequence[str]) -> Reference:
    """Bring r/base:1 there; what it has carried out, by architecture.

    :returns: its reference, with the digest of the index if there are several.
    """
    with RegistryClient(RegistrySettings.from_params(registry)) as client:
        listed = []
        for architecture, triggers in on_build.items():
            config = {"os": "linux", "architecture": architecture, "config": {"OnBuild": [*triggers]}}
            body = json.dumps({**config, "rootfs": {"type": "layers", "diff_ids": []}}).encode()
            descriptor = {"mediaType": "application/vnd.oci.image.config.v1+json", "size": len(body)}
            manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "layers": []}
            digest = str(client.push_blob("r/base", body))
            body = json.dumps({**manifest, "config": {**descriptor, "digest": digest}}).encode()
            pushed = client.put_manifest("r/base", architecture, OCI_MANIFEST, body)
            entry = {"mediaType": OCI_MANIFEST, "digest": str(pushed), "size": len(body)}
            listed.append({**entry, "platform": {"os": "linux", "architecture": architecture}})
        if len(listed) > 1:
            body = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed}).encode()
            pushed = client.put_manifest("r/base", "1", OCI_INDEX, body)
        return Reference.parse(f"{registry['endpoint']}/r/base@{pushed}")


def triggers(reference: Reference, platform: str = AMD, **how: t.Any) -> tuple[str, ...] | None:
    return served_triggers(reference, str(reference.digest), platform, **how)


def test_they_are_those_of_the_platform(start_registry: StartRegistry) -> None:
    registry = {"endpoint": start_registry().endpoint, "tls": "plain"}
    assert triggers(push(registry, amd64=TRIGGERS)) == TRIGGERS
    assert triggers(push(registry, amd64=())) == ()
    several = push(registry, amd64=TRIGGERS, arm64=["RUN other"])
    assert (triggers(several), triggers(several, ARM)) == (TRIGGERS, ("RUN other",))
    assert triggers(several, "linux/s390x") is None
    assert served_triggers(several, "sha256:" + "0" * 64, AMD) is None


def test_what_is_served_counts_by_its_digest_whoever_vouches_and_a_login_is_for_who_is_vouched_for(
    start_registry: StartRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "certificates").mkdir()
    certificates = Certificates(tmp_path / "certificates")
    authority = certificates.issue("Own authority", [], None, authority=True)
    issued = certificates.issue("registry", ["127.0.0.1"], authority)
    login = {"username": USERNAME, "password": PASSWORD}
    for given in ({}, login):
        started = start_registry(issued=issued, htpasswd=bool(given))
        reference = push({"endpoint": started.endpoint, "ca": authority.pem, **given}, amd64=TRIGGERS)
        asked: dict[str, t.Any] = {"login": (USERNAME, PASSWORD)} if given else {}
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        assert triggers(reference, **asked) == (None if given else TRIGGERS)
        if given:
            assert f" {USERNAME} " not in started.log.read_text().splitlines()[-1]
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.cert_file))
        assert triggers(reference, **asked) == TRIGGERS
        assert triggers(reference) == (None if given else TRIGGERS)


def test_a_registry_that_is_not_there_tells_nothing() -> None:
    assert triggers(Reference.parse("127.0.0.1:1/r/base@sha256:" + "0" * 64)) is None
