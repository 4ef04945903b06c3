# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mirrors of other registries: what each engine's files say, and whose share of them comes and goes with which run."""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

import pytest
import tomllib

from ansible_collections.longshore.delivery.plugins.module_utils.capability import DeliveryError
from ansible_collections.longshore.delivery.plugins.module_utils.node.processes import Process
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from ansible_collections.longshore.delivery.plugins.module_utils.trust.mirrors import upstreams
from tests.unit.module_utils.registry.certificates import Certificates

from .node import Node, Refused

HUB = "etc/containerd/certs.d/docker.io/hosts.toml"
HUBS_DROP_IN = "etc/containers/registries.conf.d/50-longshore-docker.io.conf"
SITE = "etc/containerd/certs.d/registry.site:5000/hosts.toml"
SITES_DROP_IN = "etc/containers/registries.conf.d/50-longshore-registry.site_5000.conf"
DAEMON = "etc/docker/daemon.json"


def registry(endpoint: str, *mirror_of: str, **params: t.Any) -> RegistrySettings:
    return RegistrySettings.from_params({"endpoint": endpoint, "mirror_of": list(mirror_of), **params})


def hosts(node: Node, path: str) -> tuple[str, list[str]]:
    """The server, and the hosts in the order in which they are asked before it."""
    found = tomllib.loads(node.read(path))
    assert all(host["capabilities"] == ["pull", "resolve"] for host in found["host"].values())
    return found["server"], list(found["host"])


def drop_in(node: Node, path: str) -> dict[str, t.Any]:
    (found,) = tomllib.loads(node.read(path))["registry"]
    return t.cast("dict[str, t.Any]", found)


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path / "node")


FIRST, SECOND = registry("m1.example", "docker.io", tls="plain"), registry("m2.example:5000", "docker.io")


def test_mirrors_are_asked_in_order_before_the_upstream(node: Node) -> None:
    before = node.files()
    node.serve(FIRST, SECOND)
    assert hosts(node, HUB) == ("https://registry-1.docker.io", ["http://m1.example", "https://m2.example:5000"])
    assert drop_in(node, HUBS_DROP_IN) == {
        "location": "docker.io",
        "mirror": [{"location": "m1.example", "insecure": True}, {"location": "m2.example:5000"}],
    }
    assert json.loads(node.read(DAEMON)) == {
        "registry-mirrors": ["http://m1.example", "https://m2.example:5000"],
        "insecure-registries": ["m1.example"],
    }
    assert not node.planned(FIRST, SECOND).changes
    assert tomllib.loads(node.read("etc/containerd/config.toml"))["plugins"]
    node.serve(absent=True)
    assert node.files() == before


def test_without_fallback_the_upstream_is_never_asked(tmp_path: Path) -> None:
    node = Node(tmp_path, fallback=False)
    authority = Certificates(tmp_path).authority().pem
    node.serve(FIRST, registry("m2.example:5000", "docker.io", ca=authority))
    assert hosts(node, HUB) == ("https://m2.example:5000", ["http://m1.example", "https://m2.example:5000"])
    found = tomllib.loads(node.read(HUB))
    assert found["ca"] == found["host"]["https://m2.example:5000"]["ca"]
    assert Path(found["ca"]).read_text() == authority
    assert drop_in(node, HUBS_DROP_IN)["blocked"] is True
    node.serve(registry("m2.example:5000"), absent=True)
    assert hosts(node, HUB) == ("http://m1.example", ["http://m1.example"])
    assert drop_in(node, HUBS_DROP_IN)["blocked"] is True


def test_a_run_about_one_mirror_leaves_the_others_share(node: Node) -> None:
    node.serve(FIRST)
    node.serve(SECOND)
    assert hosts(node, HUB)[1] == ["https://m2.example:5000", "http://m1.example"]
    assert [one["location"] for one in drop_in(node, HUBS_DROP_IN)["mirror"]] == ["m2.example:5000", "m1.example"]
    assert not node.planned(FIRST, SECOND).refusals
    node.serve(FIRST, SECOND)
    assert hosts(node, HUB)[1] == ["http://m1.example", "https://m2.example:5000"], "this run's order"
    node.serve(registry("m1.example"), absent=True)
    assert hosts(node, HUB)[1] == ["https://m2.example:5000"]
    assert json.loads(node.read(DAEMON))["registry-mirrors"] == ["https://m2.example:5000"]
    node.serve(registry("m2.example:5000"))  # a mirror no more
    for path in (HUB, HUBS_DROP_IN, DAEMON):
        assert path not in node.files()


def test_an_upstream_that_is_trusted_itself_keeps_its_own_settings(tmp_path: Path) -> None:
    node = Node(tmp_path, fallback=False)  # which is about those that are not named
    authority = Certificates(tmp_path).authority().pem
    site, plain = registry("registry.site:5000", ca=authority), registry("registry.site:5000", tls="plain")
    mirrors = [
        registry("10.0.0.1:5000", "registry.site:5000", ca=authority),
        registry("10.0.0.2:5000", "registry.site:5000"),
    ]
    node.serve(site)
    alone = node.files()
    node.serve(site, *mirrors)
    own = "https://registry.site:5000"
    assert hosts(node, SITE) == (own, ["https://10.0.0.1:5000", "https://10.0.0.2:5000", own])
    assert "ca" in tomllib.loads(node.read(SITE))
    assert drop_in(node, SITES_DROP_IN) == {
        "location": "registry.site:5000",
        "mirror": [{"location": "10.0.0.1:5000"}, {"location": "10.0.0.2:5000"}],
    }
    assert DAEMON not in node.files(), "Docker has mirrors of docker.io alone"
    node.serve(plain, mirrors[1])
    assert hosts(node, SITE) == ("http://registry.site:5000", ["https://10.0.0.2:5000", "http://registry.site:5000"])
    assert drop_in(node, SITES_DROP_IN)["insecure"] is True
    node.serve(site)
    assert (len(hosts(node, SITE)[1]), SITES_DROP_IN in node.files()) == (1, False), "no mirrors are named"
    node.serve(*mirrors, absent=True)
    assert node.files() == alone


def test_an_upstream_without_settings_of_its_own_loses_its_mirrors_too(node: Node) -> None:
    site = registry("registry.site:5000")
    node.serve(site, registry("10.0.0.2:5000", "registry.site:5000"))
    assert not node.planned(registry("10.0.0.2:5000", "registry.site:5000")).changes
    node.serve(site)
    assert not {SITE, SITES_DROP_IN}.intersection(node.files())


def test_an_upstream_that_is_taken_away_stays_with_its_mirrors(node: Node, tmp_path: Path) -> None:
    site = registry("registry.site:5000", ca=Certificates(tmp_path).authority().pem)
    node.serve(site, registry("10.0.0.2:5000", "registry.site:5000"))
    node.serve(site, absent=True)
    assert hosts(node, SITE) == ("https://registry.site:5000", ["https://10.0.0.2:5000"])
    assert "ca" not in tomllib.loads(node.read(SITE))


def test_mirrors_of_one_that_was_trusted_before(node: Node) -> None:
    node.serve(registry("registry.site:5000", tls="plain"))
    node.serve(registry("10.0.0.2:5000", "registry.site:5000"))
    assert hosts(node, SITE) == ("http://registry.site:5000", ["https://10.0.0.2:5000", "http://registry.site:5000"])
    assert drop_in(node, SITES_DROP_IN) == {
        "location": "registry.site:5000",
        "insecure": True,
        "mirror": [{"location": "10.0.0.2:5000"}],
    }


def test_files_of_others_for_the_upstream_stand_in_the_way(node: Node) -> None:
    node.write(HUB, 'server = "https://theirs"\n')
    node.write("etc/containers/registries.conf.d/99-theirs.conf", '[[registry]]\nlocation = "docker.io"\n')
    with pytest.raises(Refused, match=r"99-theirs\.conf has an entry for docker\.io") as refused:
        node.serve(SECOND)
    assert f"{HUB} is there and was not written by this collection" in str(refused.value)
    node.serve(SECOND, override=True)
    node.serve(absent=True)
    assert node.read(HUB) == 'server = "https://theirs"\n'


def test_mirrors_that_docker_has_as_flags(tmp_path: Path) -> None:
    flags = ("dockerd", "--registry-mirror=https://m2.example:5000")
    node = Node(tmp_path, docker={"daemon": Process(1 << 30, flags, 0)})
    assert DAEMON not in [os.path.relpath(step.path, tmp_path) for step in node.planned(SECOND).steps]
    with pytest.raises(Refused, match=r"runs with --registry-mirror=https://m2\.example:5000 and does not start"):
        node.planned(FIRST, SECOND)


def test_docker_is_told_that_a_list_is_empty_before_the_key_goes(node: Node) -> None:
    node.write(DAEMON, '{"debug": true}')
    node.serve(SECOND)
    (step,) = [step for step in node.planned(absent=True).steps if step.path.endswith("daemon.json")]
    assert json.loads(step.interim or b"") == {"debug": True, "registry-mirrors": []}
    assert step.after == b'{"debug": true}'


def test_a_registry_is_no_mirror_of_itself() -> None:
    with pytest.raises(DeliveryError, match=r"m\.example: 'mirror_of' names the registry itself"):
        upstreams([registry("m.example", "m.example")], True)
