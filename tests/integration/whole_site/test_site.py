# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""site.yml as a whole where it goes wrong or comes partly; the engines, the registry and the cluster are asked themselves."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest

from tests.demo.delivery import Delivery
from tests.integration.asking import kubectl, on_node
from tests.integration.distribution.lab import ENDPOINT, LOGIN, Builder, Nodes
from tests.integration.registry_trust.lab import run_on
from tests.lab.nodes import NODES

from .lab import AWAY, Site, nothing_changes, state, unreachable

pytestmark = pytest.mark.lab

NEW = "n2"  # the node that comes late, or is away
OTHERS = sorted(set(NODES) - {NEW})


@pytest.fixture(scope="module", autouse=True)
def no_pod_on_the_new_node() -> t.Iterator[None]:
    """Else a pod would hold the image there that is to be missing."""
    kubectl("cordon", NEW)
    yield
    kubectl("uncordon", NEW)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[tuple[Site, Delivery]]:
    """A site, and its first delivery."""
    directory = tmp_path_factory.mktemp("site")
    site = Site(directory)
    yield site, site.run()
    kubectl("delete", "namespace", site.namespace, "--ignore-not-found", "--wait=false")
    Nodes(directory).forget()
    builder = Builder(on_node("dock", "cat", "/etc/longshore/registry/ca.crt"))
    builder.repository = site.repository
    for tag in ("1", "2"):
        head = builder.client.head_manifest(site.repository, tag)
        if head:
            builder.manifests.add((site.repository, head.digest))
    builder.remove()


@pytest.fixture(scope="module")
def site(first: tuple[Site, Delivery]) -> Site:
    made, delivery = first
    assert delivery.rc == 0, delivery.output
    return made


def holders(site: Site, digest: str | None) -> list[str]:
    """The nodes whose engines hold the site's image in this version."""
    assert digest
    nodes = Nodes(site.directory)
    return [node for node in sorted(NODES) if f"{ENDPOINT}/{site.repository}@{digest}" in nodes.held(node)]


def test_check_mode_where_nothing_was_delivered_changes_nothing_anywhere(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.groups["longshore_registry_hosts"]["hosts"] = {"n1": {}}  # a host that has no registry
    registry = {"endpoint": f"{NODES['n1'].address}:5000", **LOGIN}
    with nothing_changes():
        ran = site.run("--check", "--diff", longshore_registry=registry)
    assert not list(tmp_path.glob("state/**/*"))
    assert ran.rc == 0, ran.output
    # neither the authority that engines are to trust nor the digests that nodes are to hold are there yet
    assert "authority is not made yet" in " ".join(ran.output.split())
    for stage in ("Build", "Registry", "Push", "Deploy"):
        part = ran.output.partition(f"PLAY [{stage}]")[2].partition("PLAY [")[0]
        assert re.search(r"^changed: \[", part, re.MULTILINE), f"{stage} foresees nothing: {part}"


def test_a_delivery_and_then_check_mode_says_that_nothing_would_change(site: Site) -> None:
    digest = site.served("1")
    assert holders(site, digest) == sorted(NODES)
    assert site.running() == {digest}
    with nothing_changes():
        ran = site.run("--check", "--diff")
    assert ran.rc == 0, ran.output
    assert ran.changed == dict.fromkeys([*NODES, "localhost"], 0)


def test_a_limit_to_one_new_node_completes_it_and_touches_no_other(site: Site) -> None:
    digest = site.served("1")
    trusting = state(NEW)
    assert run_on(NODES[NEW], registries=[{"endpoint": ENDPOINT}], state="absent")["changed"]
    on_node(NEW, "crictl", "rmi", site.image(digest or ""))
    assert state(NEW) != trusting
    since = on_node("cp", "date", "+%s").strip()
    with nothing_changes(*OTHERS):
        ran = site.run("--limit", NEW)
    assert ran.rc == 0, ran.output
    assert set(ran.changed) == {NEW}
    assert holders(site, digest) == sorted(NODES)
    for node in OTHERS:
        journal = on_node(node, "journalctl", "--since", f"@{since}", "--output", "short")
        modules = set(re.findall(r" ansible-(\S+)\[\d+\]: Invoked with ", journal))
        # the registry's host is asked for its authority
        assert modules == ({"ansible.builtin.stat", "ansible.builtin.slurp"} if node == "dock" else set()), node
    again = site.run("--limit", NEW)
    assert again.changed == {NEW: 0}, again.output


@pytest.mark.wide
def test_nodes_that_are_away_keep_no_other_from_being_served_and_are_completed_by_the_next_run(site: Site) -> None:
    nodes = site.groups["longshore_nodes"]
    with unreachable(NEW):
        nodes["hosts"] = {"away": {"ansible_host": AWAY}}
        try:
            ran = site.run(version="2")
        finally:
            del nodes["hosts"]
    digest = site.served("2")
    assert digest not in (None, site.served("1"))
    assert holders(site, digest) == OTHERS
    assert site.running() == {digest}
    assert ran.rc == 4, ran.output
    assert ran.unreachable == {"away", NEW}
    words = " ".join(ran.output.split())
    assert words.count(f"Not served: away, {NEW}.") == words.count("Not served") == 1
    assert f"Lost in trust: away, {NEW}" in words
    with nothing_changes(*OTHERS):
        back = site.run(version="2")
    assert back.rc == 0, back.output
    assert {host for host, changed in back.changed.items() if changed} == {NEW}
    assert holders(site, digest) == sorted(NODES)


@pytest.mark.wide
def test_a_port_that_is_taken_is_told_before_anything_is_built(site: Site) -> None:
    registry = {"endpoint": f"{NODES['dock'].address}:22", **LOGIN}
    with nothing_changes():
        ran = site.run(longshore_registry=registry, version="3")
    assert ran.rc == 2
    words = " ".join(ran.output.split())
    assert "Port 22" in words
    assert "sshd (process" in words
    assert "PLAY [Build]" not in ran.output
