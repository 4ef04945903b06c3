# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The demo as `make demo` runs it, then the engines, the registry and the cluster asked what came of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.longshore.delivery.plugins.module_utils.registry.client import RegistryClient
from ansible_collections.longshore.delivery.plugins.module_utils.registry.settings import RegistrySettings
from tests.lab.nodes import CLUSTER, NODES
from tests.lab.places import Places

CHECKOUT = Path(__file__).resolve().parents[2]
VAULT = CHECKOUT / "examples" / "shop" / "inventory" / "group_vars" / "all" / "vault.yml"
REGISTRY = f"{NODES['dock'].address}:5000"
# what a no-change delivery of five stages over the lab may take, in seconds
UNCHANGED_LIMIT = 20
# a broken version is given up this soon after its cause shows, in seconds to the playbook's end
BROKEN_LIMIT = 20

pytestmark = pytest.mark.lab


def kubectl(*arguments: str) -> dict[str, t.Any]:
    command = [str(Places.of_user().lab / "bin" / "kubectl"), "--kubeconfig", str(Places.of_user().kubeconfig)]
    done = subprocess.run([*command, *arguments, "-o", "json"], capture_output=True, text=True, check=True)
    return t.cast("dict[str, t.Any]", json.loads(done.stdout))


def on_node(node: str, *argv: str) -> str:
    return subprocess.run(
        ["docker", "exec", f"longshore-{node}", *argv], capture_output=True, text=True, check=True
    ).stdout


def served(repository: str, tag: str) -> str:
    """The digest that the registry itself names for a tag."""
    password = yaml.safe_load(VAULT.read_text())["vault_registry_password"]
    login = {"endpoint": REGISTRY, "tls": "unverified", "username": "ci", "password": password}
    with RegistryClient(RegistrySettings.from_params(login)) as registry:
        head = registry.head_manifest(repository, tag)
    assert head is not None, f"the registry has no {repository}:{tag}"
    return str(head.digest)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> dict[str, t.Any]:
    """The demo's own measurements; it must have ended well."""
    report = tmp_path_factory.mktemp("demo") / "report.json"
    environment = {name: value for name, value in os.environ.items() if name not in ("INVENTORY", "KUBECONFIG")}
    done = subprocess.run(
        [sys.executable, "-m", "tests.demo", "--report", str(report)],
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-10000:] + done.stderr[-5000:]
    return t.cast("dict[str, t.Any]", json.loads(report.read_text()))


def test_a_second_run_changes_nothing_and_is_quick(demo: dict[str, t.Any]) -> None:
    assert demo["changed_by_second_run"] == 0
    assert demo["seconds"]["unchanged"] <= UNCHANGED_LIMIT


def test_one_changed_line_touches_neither_the_registry_nor_who_trusts_it(demo: dict[str, t.Any]) -> None:
    changes = demo["changes_by_stage"]
    assert set(changes) == {"Build", "Registry", "Trust", "Push", "Pull", "Deploy"}
    assert (changes["Registry"], changes["Trust"]) == (0, 0)
    assert changes["Deploy"] == 1


def test_no_request_failed_while_the_pods_rolled(demo: dict[str, t.Any]) -> None:
    assert demo["requests"]["failures"] == {}
    assert sum(demo["requests"]["answers"].values()) >= 100
    assert len(demo["requests"]["answers"]) == 2


@pytest.mark.parametrize("name", ["image", "crash", "readiness"])
def test_a_broken_version_is_given_up_while_the_old_pods_serve(demo: dict[str, t.Any], name: str) -> None:
    broken = demo["broken"][name]
    assert 0 <= broken["seconds_after_cause"] <= BROKEN_LIMIT
    assert broken["available"] == 3


def test_the_pods_run_the_digest_that_the_registry_serves(demo: dict[str, t.Any]) -> None:
    deployment = kubectl("get", "deployment", "web", "-n", "shop")
    image = next(c["image"] for c in deployment["spec"]["template"]["spec"]["containers"] if c["name"] == "web")
    name, digest = image.split("@")
    assert name == f"{REGISTRY}/shop/web"
    assert digest == served("shop/web", "1.1")
    pods = kubectl("get", "pods", "-n", "shop", "-l", "app.kubernetes.io/name=web")["items"]
    running = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    assert len(running) == 3
    for pod in running:
        [status] = [s for s in pod["status"]["containerStatuses"] if s["name"] == "web"]
        assert status["ready"]
        assert status["imageID"].endswith(digest)


@pytest.mark.parametrize("node", ["cp", "n1", "n2"])
def test_every_node_of_the_cluster_holds_the_digest(demo: dict[str, t.Any], node: str) -> None:
    deployment = kubectl("get", "deployment", "web", "-n", "shop")
    image = next(c["image"] for c in deployment["spec"]["template"]["spec"]["containers"] if c["name"] == "web")
    held = json.loads(on_node(node, "crictl", "images", "-o", "json"))["images"]
    assert any(image.split("@")[1] in digest for entry in held for digest in entry["repoDigests"])


def test_the_table_names_all_that_was_delivered(demo: dict[str, t.Any]) -> None:
    assert {row["container"] for row in demo["table"]} == {"web", "shipper"}
    assert all(row["pods ready"] == "3/3" for row in demo["table"])
    nodes = {node.name for node in CLUSTER}
    assert [set(row["held by"].split()) for row in demo["table"]] == [nodes, nodes]
