# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Registries that are not in the list any more: all that was written for them goes when that is asked for, and nothing else."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.longshore.delivery.plugins.module_utils.capability import Context, DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.trust import ledger as ledgers
from ansible_collections.longshore.delivery.plugins.module_utils.trust.registry_trust import run

from .node import Node, no_commands

Make = t.Callable[..., RegistrySettings]
ONE, OTHER, MIRROR = "one.site:5000", "other.site:5000", "mirror.site:5000"


def contents(node: Node) -> dict[str, bytes]:
    return {path: body.replace(str(node.root).encode(), b"") for path, (body, _mode) in sorted(node.files().items())}


def fresh(tmp_path: Path, *registries: RegistrySettings) -> dict[str, bytes]:
    """The files of a node that was told of these alone."""
    node = Node(tmp_path / "fresh")
    node.serve(*registries)
    return contents(node)


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path / "node")


@pytest.mark.parametrize("tls", ["ca", "plain", "unverified"])
def test_nothing_is_left_of_what_is_not_in_the_list(tmp_path: Path, node: Node, registry: Make, tls: str) -> None:
    mirror = registry("ca", MIRROR, mirror_of=["docker.io"])
    node.serve(registry(tls, ONE), registry(tls, OTHER), mirror)
    before = node.files()
    planned = node.planned(registry(tls, ONE))
    assert (planned.changes, planned.gone(ledgers.load(node.locations))) == (False, [])
    planned = node.planned(registry(tls, ONE), purge=True)
    assert planned.gone(ledgers.load(node.locations)) == [MIRROR, OTHER]
    assert node.files() == before
    node.serve(registry(tls, ONE), purge=True)
    assert contents(node) == fresh(tmp_path, registry(tls, ONE))
    assert ledgers.load(node.locations).told_for == {ONE: (ONE,)}
    assert not node.planned(registry(tls, ONE), purge=True).changes


def test_a_mirror_keeps_its_upstream_s_other_files_only_as_long_as_it_is_named(
    tmp_path: Path, node: Node, registry: Make
) -> None:
    first, second = (registry("ca", f"10.0.0.{number}:5000", mirror_of=["docker.io"]) for number in (1, 2))
    node.serve(first, second, registry("ca", ONE))
    node.serve(second, purge=True)
    assert contents(node) == fresh(tmp_path, second)


def test_what_others_wrote_stays(node: Node, registry: Make) -> None:
    node.write("etc/docker/daemon.json", '{"insecure-registries": ["theirs:1"], "debug": true}')
    node.serve(registry("plain", ONE), registry("ca", OTHER))
    theirs = node.write(f"etc/docker/certs.d/{OTHER}/theirs.crt", "theirs")
    node.serve(registry("ca", "last.site:5000"), purge=True)
    assert json.loads(node.read("etc/docker/daemon.json")) == {"insecure-registries": ["theirs:1"], "debug": True}
    assert theirs.read_text() == "theirs"
    assert not (theirs.parent / "longshore.crt").exists()


def test_another_engine_s_share_stays_until_that_is_served(
    node: Node, registry: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.serve(registry("ca", ONE), registry("ca", OTHER))
    podman = [engine for engine in node.engines if engine.name == "podman"]
    with monkeypatch.context() as patch:
        patch.setattr(Node, "engines", podman)
        node.serve(registry("ca", ONE), purge=True)
    assert f"etc/docker/certs.d/{OTHER}/longshore.crt" in node.files()
    node.serve(registry("ca", ONE), purge=True)
    assert not any(OTHER in path for path in node.files())


def test_with_absent_it_is_refused() -> None:
    params = {"registries": [], "engines": ["auto"], "state": "absent", "purge": True}
    with pytest.raises(DeliveryError, match="Leave one of the two away"):
        run(params, Context(False, False, print, print, no_commands))
