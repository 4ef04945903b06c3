# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make demo KUBECONFIG=... INVENTORY=...`: the lab as a user's own nodes, of which the demo knows what an inventory says."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.demo.cluster import Cluster
from tests.demo.delivery import deliver
from tests.demo.inventory import Inventory
from tests.demo.load import Load
from tests.demo.preflight import host_in_cluster
from tests.demo.preparation import prepare
from tests.integration.distribution.lab import BUILDS, ENDPOINT, LOGIN, PLACES
from tests.lab.access import ssh_options
from tests.lab.nodes import NODES

pytestmark = pytest.mark.lab


def test_the_example_is_delivered_to_a_users_own_nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = {node.name: {"ansible_host": node.address, "ansible_user": "root"} for node in NODES.values()}
    inventory = {"longshore_nodes": {"hosts": hosts}, "longshore_registry_hosts": {"hosts": {"dock": {}}}}
    variables = {
        "ansible_ssh_private_key_file": str(PLACES.ssh / "id_ed25519"),
        "ansible_ssh_common_args": " ".join(ssh_options(PLACES)),
        "longshore_registry": {"endpoint": ENDPOINT, **LOGIN},
        "longshore_builder": BUILDS,
    }
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(inventory))
    (tmp_path / "group_vars" / "all.yml").write_text(yaml.safe_dump(variables))
    (tmp_path / "config").write_text(PLACES.kubeconfig.read_text())
    monkeypatch.setenv("INVENTORY", str(tmp_path / "hosts.yml"))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("DOCKER_CONFIG", str(PLACES.docker_config))  # this user has buildx
    settings = prepare()
    assert not settings.lab
    ran = deliver(settings, "site", show=False)
    assert ran.rc == 0, ran.output
    cluster = Cluster(settings)
    assert cluster.available() == (3, 3)
    host = host_in_cluster(Inventory.of(settings), cluster)
    with Load(settings, host, f"http://{cluster.address()}/") as load:
        pass
    assert load.count.failures == {}
    assert list(load.count.answers) == ["Welcome to the shop"]
