# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What engines show a registry that asks for a certificate: the files, whom they are for, and that they go again."""

from __future__ import annotations

import stat
import typing as t
from pathlib import Path

import pytest
import tomllib

from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.trust.diff import diffs
from tests.unit.module_utils.registry.certificates import Certificates

from .node import Node

ENDPOINT = "registry.example:5000"
PLACES = ("containerd", "docker", "containers")


def settings(certificates: Certificates, name: str = "client", **params: t.Any) -> RegistrySettings:
    issued = certificates.issue(name, [], None)
    pair = {"client_certificate": issued.pem, "client_key": issued.key_file.read_text()}
    return RegistrySettings.from_params({"endpoint": ENDPOINT, **pair, **params})


@pytest.mark.parametrize("tls", ["verified", "unverified"])
def test_every_engine_finds_both_and_only_root_the_key(tmp_path: Path, tls: str) -> None:
    node, certificates = Node(tmp_path / "node"), Certificates(tmp_path)
    before = node.files()
    registry = settings(certificates, tls=tls)
    planned = node.serve(registry)
    assert registry.client
    for engine in PLACES:
        directory = tmp_path / "node/etc" / engine / "certs.d" / ENDPOINT
        assert (directory / "longshore.cert").read_text() == registry.client.certificate
        assert (directory / "longshore.key").read_text() == registry.client.key
        modes = [stat.S_IMODE((directory / name).stat().st_mode) for name in ("longshore.cert", "longshore.key")]
        assert modes == [0o644, 0o600]
    directory = tmp_path / "node/etc/containerd/certs.d" / ENDPOINT
    hosts = tomllib.loads((directory / "hosts.toml").read_text())
    pair = [[str(directory / "longshore.cert"), str(directory / "longshore.key")]]
    assert hosts["client"] == hosts["host"][f"https://{ENDPOINT}"]["client"] == pair
    paths = [step.path for step in planned.steps]
    assert paths.index(str(directory / "longshore.key")) < paths.index(str(directory / "hosts.toml"))
    assert "PRIVATE" not in str(diffs(planned.steps))
    assert not node.planned(registry).changes
    node.serve(absent=True)
    assert node.files() == before


def test_another_pair_takes_the_place_of_the_first_and_none_takes_it_away(tmp_path: Path) -> None:
    node, certificates = Node(tmp_path / "node"), Certificates(tmp_path)
    node.serve(settings(certificates, ca=certificates.authority().pem))
    second = settings(certificates, "second", ca=certificates.authority().pem)
    node.serve(second)
    assert second.client
    assert node.read(f"etc/docker/certs.d/{ENDPOINT}/longshore.key") == second.client.key
    node.serve(RegistrySettings.from_params({"endpoint": ENDPOINT, "ca": certificates.authority().pem}))
    left = {name.rpartition("/")[2] for name in node.files() if ENDPOINT in name}
    assert left == {"hosts.toml", "longshore.crt"}
    assert "client" not in node.read(f"etc/containerd/certs.d/{ENDPOINT}/hosts.toml")
